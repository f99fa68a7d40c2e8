"""Frames against Pillow and the original's preprocessing, byte for byte."""

from pathlib import Path

from replication.tasks.car_frames import to_frame, to_stretched_frame

import numpy as np
import pytest
from PIL import Image

FRAMES = Path(__file__).parents[1] / "envs" / "car_racing_v0_frames.npz"


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


@pytest.mark.parametrize("frame_of", [to_frame, to_stretched_frame])
@pytest.mark.parametrize(
    "state", [np.zeros((83, 96, 3), np.uint8), np.zeros((96, 96, 3)), np.zeros((96, 96), np.uint8)]
)
def test_refuses_what_is_no_state(state, frame_of):
    with pytest.raises(ValueError, match="a state is"):
        frame_of(state)


# Stretched -----------------------------------------------------------------------------------

BLACK, WHITE, GREY = (0, 0, 0), (255, 255, 255), (102, 102, 102)
DARK_GRASS, LIGHT_GRASS = (102, 204, 102), (102, 229, 102)


def bands(*colours) -> np.ndarray:
    """A state of level bands of colours, 14 rows each, the last one down to row 95."""
    state = np.empty((96, 96, 3), np.uint8)
    for place, colour in enumerate(colours):
        state[14 * place :] = colour
    return state


def middles(frame: np.ndarray, count: int) -> list[tuple[int, ...]]:
    """The colours in the middle of bands of 14 rows: 14 rows of a state are 10.7 of a frame."""
    rows = [int((14 * place + 7) * 64 / 84) for place in range(count)]
    return [tuple(frame[row, 32].tolist()) for row in rows]


def test_contrast_is_stretched_from_the_frames_own_least_to_its_greatest():
    """(60 - 10) * 255 / 200 = 63.75, so 64; (35 - 10) * 255 / 200 = 31.875, so 32; less one."""
    state = bands((10, 10, 10), (60, 60, 60), (35, 35, 35), (210, 210, 210))
    frame = to_stretched_frame(state)
    assert middles(frame, 4) == [(255,) * 3, (63,) * 3, (31,) * 3, (254,) * 3]
    assert (frame.shape, frame.dtype) == ((64, 64, 3), np.uint8)


def test_the_greatest_may_stand_in_one_colour_only():
    """Least and greatest are those of all three colours together."""
    state = bands((0, 100, 100), (200, 100, 100))
    assert middles(to_stretched_frame(state), 2) == [(255, 127, 127), (254, 127, 127)]


def test_black_becomes_white_by_wrapping_and_the_rest_loses_one():
    """With black and white in view nothing is stretched: x becomes x - 1 modulo 256."""
    state = bands(BLACK, GREY, DARK_GRASS, LIGHT_GRASS, WHITE)
    expected = [(255,) * 3, (101,) * 3, (101, 203, 101), (101, 228, 101), (254,) * 3]
    assert middles(to_stretched_frame(state), 5) == expected


def test_light_grass_is_the_greatest_where_no_white_is_in_view():
    """102, 105, 107, 204 and 229 of 229: 113.6, 116.9, 119.1, 227.2 and 255, rounded, less one."""
    state = bands(BLACK, GREY, (105,) * 3, (107,) * 3, DARK_GRASS, LIGHT_GRASS)
    frame = to_stretched_frame(state)
    greys = [(113,) * 3, (116,) * 3, (118,) * 3]
    assert middles(frame, 6) == [(255,) * 3, *greys, (113, 226, 113), (113, 254, 113)]
    state[70:] = (102, 230, 102)  # as Mesa draws it: other greys than the published frames have
    assert middles(to_stretched_frame(state), 5)[1:] == [
        *((112,) * 3, (115,) * 3, (118,) * 3),
        (112, 225, 112),
    ]


def test_the_bar_below_is_not_seen():
    state = bands(BLACK, GREY, LIGHT_GRASS)
    frame = to_stretched_frame(state)
    state[84:] = WHITE
    np.testing.assert_array_equal(to_stretched_frame(state), frame)
    np.testing.assert_array_equal(to_stretched_frame(state[:84]), frame)


def test_a_frame_of_one_colour_is_the_least_everywhere():
    assert (to_stretched_frame(np.full((96, 96, 3), 77, np.uint8)) == 255).all()


def originals(state: np.ndarray) -> np.ndarray:
    """The original's `_process_frame`, with SciPy's bytescale written out."""
    obs = state[:84].astype(float) / 255.0
    least, greatest = obs.min(), obs.max()
    scale = float(255 - 0) / ((greatest - least) or 1)
    stretched = ((obs - least) * scale).clip(0, 255) + 0.5
    resized = pillow(stretched.astype(np.uint8))
    return ((1.0 - resized.astype(float)) * 255).round().astype(np.int64) % 256


def test_is_the_originals_on_noise_and_on_the_games_own_frames():
    noise = np.random.default_rng(3).integers(20, 200, (20, 96, 96, 3), np.uint8)
    with np.load(FRAMES) as recorded:
        drawn = recorded["frames"][::7]
    assert len(drawn) > 20
    for state in (*noise, *drawn):
        np.testing.assert_array_equal(to_stretched_frame(state), originals(state))
