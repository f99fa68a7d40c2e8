"""pygame's smoothscale from 1000x800 to 96x96, on a surface that is kept as cells.

smoothscale (pygame-ce, src_c/transform.c, its SSE2 filters) gives each of the 96 pixels of a side
1000/96 (or 800/96) source pixels. Whole ones count fully; one that lies astride two target pixels
is split by 14-bit weights. x is done first and rounded to 8 bits, then y.

Cell (r, k) holds all that target pixel (r, k) is made of, the pixels that it shares with its
neighbours included. A cell of one colour needs no pixels: what it becomes stands in a table.
"""

import numpy as np
from numba import njit

WIDTH, HEIGHT, SIDE = 1000, 800, 96  # the surface, the state
ONE = 1 << 14  # smoothscale's fixed point
# A cell's pixels are bytes: a column is 32 of them, red of its 9 or 10 rows, then green, then blue.
ROWS, COLUMN = 10, 32
BLOCK = 12 * COLUMN  # a cell has 11 or 12 columns
MIXED = -1  # colour of a cell that has more than one
RED, GREEN, CHANNEL = 16, 8, 255  # a cell's colour is 0xRRGGBB


def _splits(source: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """First pixel of each cell, that pixel's weight in its own cell and in the one before it."""
    space = ONE * source // SIDE
    ends = np.arange(SIDE + 1) * space
    start = (ends + ONE - 1) // ONE - 1
    before = ends - start * ONE  # 1..ONE
    start[0], before[0] = 0, 0  # the first pixel is shared with none
    return start, ONE - before, before, (1 << 30) // space


X_START, _X_OWN, _X_BEFORE, _X_RECIPROCAL = _splits(WIDTH)
Y_START, _Y_OWN, _Y_BEFORE, _Y_RECIPROCAL = _splits(HEIGHT)


def _uniform_table() -> np.ndarray:
    """What a channel of value v becomes at (r, k) when all around it is v: (256, 96, 96)."""
    v = np.arange(256)[:, None]  # (256, 1)

    def scale(v, start, own, before, reciprocal):
        whole = np.diff(start) - 1
        total = (v * own[:-1] >> 14) + v * whole + (v * before[1:] >> 14)
        return total * reciprocal >> 16  # (256, 96)

    x = scale(v, X_START, _X_OWN, _X_BEFORE, _X_RECIPROCAL)
    y = scale(v, Y_START, _Y_OWN, _Y_BEFORE, _Y_RECIPROCAL)
    return y[x].transpose(0, 2, 1).astype(np.uint8).copy()  # (256, r, k)


UNIFORM = _uniform_table()


@njit(forceinline=True, _nrt=False)
def _squeeze(pixels, k, squeezed):
    """Do x for all rows and channels of a cell at once: uint8 (BLOCK,) -> uint32 (COLUMN,).

    The types are spelled out so that the loop runs in 32-bit lanes of the processor's vectors.
    """
    own, before = np.uint32(_X_OWN[k]), np.uint32(_X_BEFORE[k + 1])
    last = X_START[k + 1] - X_START[k]  # column shared with the next cell: 10 or 11
    tenth = np.uint8(CHANNEL if last == 11 else 0)
    shared = pixels[last * COLUMN :]
    for i in range(COLUMN):
        total = np.uint32(pixels[10 * COLUMN + i] & tenth)
        for column in range(1, 10):
            total = np.uint32(total + pixels[column * COLUMN + i])
        total = np.uint32(total + (np.uint32(pixels[i] * own) >> np.uint32(14)))
        total = np.uint32(total + (np.uint32(shared[i] * before) >> np.uint32(14)))
        squeezed[i] = np.uint32(total * np.uint32(_X_RECIPROCAL)) >> np.uint32(16)


@njit(forceinline=True, _nrt=False)
def _sum_rows(squeezed, r):
    """Do y for one channel of a cell: 0..255."""
    last = Y_START[r + 1] - Y_START[r]  # row shared with the next cell: 8 or 9
    total = (squeezed[0] * _Y_OWN[r] >> 14) + (squeezed[last] * _Y_BEFORE[r + 1] >> 14)
    for row in range(1, 8):
        total += squeezed[row]
    if last == 9:
        total += squeezed[8]
    return total * _Y_RECIPROCAL >> 16


@njit(error_model="numpy", _nrt=False)
def downscale(canvas, out):
    """The cells of a canvas (surface.py) -> out uint8 (rows, 96, 3)."""
    cells = canvas.cells
    for r in range(out.shape[0]):
        ink, red, green, blue = (
            MIXED,
            canvas.uniform[0, r],
            canvas.uniform[0, r],
            canvas.uniform[0, r],
        )
        for k in range(SIDE):
            cell = r * (SIDE + 1) + k
            c = cells.colour[cell]
            if c == MIXED:
                at = cells.block[cell]
                _squeeze(cells.pixels[at : at + BLOCK], k, canvas.squeezed)
                for channel in range(3):
                    out[r, k, channel] = _sum_rows(canvas.squeezed[ROWS * channel :], r)
                continue
            if c != ink:
                ink, red = c, canvas.uniform[c >> RED & CHANNEL, r]
                green, blue = (
                    canvas.uniform[c >> GREEN & CHANNEL, r],
                    canvas.uniform[c & CHANNEL, r],
                )
            out[r, k, 0], out[r, k, 1], out[r, k, 2] = red[k], green[k], blue[k]
