"""Frames in a page."""

import base64
import io

from replication.article.pictures import COLUMNS, sheet

import numpy as np
from PIL import Image


def test_a_sheet_has_every_frame_as_it_is():
    frames = np.random.default_rng(0).integers(0, 256, (COLUMNS + 3, 64, 64, 3), np.uint8)
    address = sheet(frames)
    kind, data = address.split(",")
    assert kind == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape == (2 * 64, COLUMNS * 64, 3)
    for number, frame in enumerate(frames):
        row, column = divmod(number, COLUMNS)
        place = pixels[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64]
        np.testing.assert_array_equal(place, frame)
