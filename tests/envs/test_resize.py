"""to_frame against Pillow, byte for byte."""

from replication.envs.rendering.resize import to_frame

import numpy as np
import pytest
from PIL import Image


def pillow(state):
    image = Image.fromarray(np.ascontiguousarray(state[:84]))
    return np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR))


def states(seed=0):
    """Noise, two-valued noise, ramps and flat colours."""
    rng = np.random.default_rng(seed)
    yield from rng.integers(0, 256, (100, 96, 96, 3), dtype=np.uint8)
    yield from rng.choice(np.array([0, 1, 254, 255], np.uint8), (100, 84, 96, 3))
    yield np.arange(96 * 96 * 3, dtype=np.uint32).reshape(96, 96, 3).astype(np.uint8)
    for value in range(256):
        yield np.full((84, 96, 3), value, np.uint8)


def test_is_pillows_bilinear():
    for state in states():
        np.testing.assert_array_equal(to_frame(state), pillow(state))


def test_strided_states():
    state = np.random.default_rng(1).integers(0, 256, (96, 192, 6), dtype=np.uint8)[:, ::2, ::2]
    np.testing.assert_array_equal(to_frame(state), pillow(state))


def test_rows_below_84_do_not_matter():
    state = np.random.default_rng(2).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    frame = to_frame(state)
    state[84:] = 0
    np.testing.assert_array_equal(frame, to_frame(state))
    np.testing.assert_array_equal(frame, to_frame(state[:84]))


@pytest.mark.parametrize(
    "state", [np.zeros((83, 96, 3), np.uint8), np.zeros((96, 96, 3)), np.zeros((96, 96), np.uint8)]
)
def test_refuses_what_is_no_state(state):
    with pytest.raises(ValueError, match="a state is"):
        to_frame(state)
