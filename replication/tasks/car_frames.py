"""The frame that V sees: rows 0..83 of a CarRacing state, 64 by 64 (the paper, appendix A.1).

The resize is Pillow's BILINEAR to the last bit, which is what the original's `imresize` did: a
triangle filter widened by the scale (so antialiased), weights in 22-bit fixed point, x first and
rounded to 8 bits, then y (Pillow, src/libImaging/Resample.c).
"""

from replication.compiled import compiled
from replication.tasks.stretch import stretch, wrap

import numpy as np

ROWS, COLUMNS, SIDE = 84, 96, 64  # of the state that V sees; of the frame
BITS = 22  # Pillow's PRECISION_BITS for 8-bit images
TAPS = 4  # source pixels of one target pixel, at most


def _filter(source: int) -> tuple[np.ndarray, np.ndarray]:
    """First source pixel (64,) and weights (64, TAPS) of each target pixel, unused ones 0."""
    scale = source / SIDE
    start, weights = np.zeros(SIDE, np.int64), np.zeros((SIDE, TAPS), np.int64)
    for i in range(SIDE):
        center = (i + 0.5) * scale
        first = max(int(center - scale + 0.5), 0)
        last = min(int(center + scale + 0.5), source)
        taps = [max(0.0, 1 - abs((x - center + 0.5) / scale)) for x in range(first, last)]
        total = sum(taps)
        start[i] = min(first, source - TAPS)  # all taps inside; the shift is made up for below
        shift = first - start[i]
        weights[i, shift : shift + len(taps)] = [int(0.5 + t / total * 2**BITS) for t in taps]
    return start, weights.astype(np.int32)


_X_START, _X_WEIGHT = _filter(COLUMNS)
_Y_START, _Y_WEIGHT = _filter(ROWS)
_HALF = 1 << BITS - 1


@compiled(nogil=True)
def _resize(state, rows, out):
    """state uint8 (84.., 96, 3) -> rows uint8 (84, 192), out uint8 (64, 64, 3)."""
    for y in range(ROWS):
        for x in range(SIDE):
            at = _X_START[x]
            a, b, c, d = _X_WEIGHT[x, 0], _X_WEIGHT[x, 1], _X_WEIGHT[x, 2], _X_WEIGHT[x, 3]
            for channel in range(3):
                total = _HALF + state[y, at, channel] * a + state[y, at + 1, channel] * b
                total += state[y, at + 2, channel] * c + state[y, at + 3, channel] * d
                rows[y, 3 * x + channel] = total >> BITS
    flat = out.reshape(SIDE, 3 * SIDE)
    for y in range(SIDE):
        at = _Y_START[y]
        a, b, c, d = _Y_WEIGHT[y, 0], _Y_WEIGHT[y, 1], _Y_WEIGHT[y, 2], _Y_WEIGHT[y, 3]
        for i in range(3 * SIDE):
            total = np.int32(_HALF + rows[at, i] * a + rows[at + 1, i] * b)
            total += np.int32(rows[at + 2, i] * c + rows[at + 3, i] * d)
            flat[y, i] = total >> BITS


def check_state(state: np.ndarray) -> None:
    """Raise ValueError for what is no state of CarRacing."""
    if state.dtype != np.uint8 or state.shape[1:] != (COLUMNS, 3) or state.shape[0] < ROWS:
        raise ValueError(f"a state is uint8 (84 or 96, 96, 3), not {state.dtype} {state.shape}")


def to_frame(state: np.ndarray) -> np.ndarray:
    """A state's first 84 rows at 64 by 64, as Pillow resizes them.

    state: uint8 (84 or 96, 96, 3). Returns uint8 (64, 64, 3).
    Raises ValueError for other shapes and types.
    """
    check_state(state)
    out = np.empty((SIDE, SIDE, 3), np.uint8)
    _resize(np.ascontiguousarray(state), np.empty((ROWS, 3 * SIDE), np.uint8), out)
    return out


def to_stretched_frame(state: np.ndarray) -> np.ndarray:
    """The frame as the original's V saw it: contrast stretched, then each byte less one.

    Its imresize takes floats and stretches them from their own least and greatest to 0..255, and
    its (1 - x) * 255 on the bytes that come out wraps around to x - 1 modulo 256 (original env.py).
    The same arguments, result and errors as to_frame's.
    """
    check_state(state)
    return wrap(to_frame(stretch(state[:ROWS])))
