"""Frames as one picture in a page, and what the rounding of the weights does to a picture."""

import base64
import io
from typing import NamedTuple

from replication.tf import keras
from replication.vae.vae import decode

import numpy as np
from PIL import Image

COLUMNS = 20  # frames in a row of the sheet


def sheet(frames: np.ndarray) -> str:
    """Frames uint8 (T, 64, 64, 3), row by row, as the address of one lossless WebP picture."""
    count, side = len(frames), frames.shape[1]
    rows = -(-count // COLUMNS)
    padded = np.zeros((rows * COLUMNS, *frames.shape[1:]), np.uint8)
    padded[:count] = frames
    grid = padded.reshape(rows, COLUMNS, side, side, 3).transpose(0, 2, 1, 3, 4)
    picture = io.BytesIO()
    image = Image.fromarray(grid.reshape(rows * side, COLUMNS * side, 3))
    image.save(picture, "WEBP", lossless=True, quality=80, method=4)
    return "data:image/webp;base64," + base64.b64encode(picture.getvalue()).decode()


class Rounding(NamedTuple):
    """How far two decoders' pictures are apart, in levels of 0..255."""

    largest: int
    mean: float
    pictures: int


def rounding(exact: keras.Model, rounded: keras.Model, z: np.ndarray) -> Rounding:
    """What the rounded weights do to the pictures of z (N, Z)."""
    pictures = [np.int16(decode(decoder, np.float32(z))) for decoder in (exact, rounded)]
    apart = np.abs(pictures[0] - pictures[1])
    return Rounding(int(apart.max()), float(apart.mean()), len(z))
