"""pygame's smoothscale from 1000x800 to 96x96, on a surface that is kept as cells.

smoothscale (pygame-ce, src_c/transform.c, its SSE2 filters) gives each of the 96 pixels of a side
1000/96 (or 800/96) source pixels. Whole ones count fully; one that lies astride two target pixels
is split by 14-bit weights. x is done first and rounded to 8 bits, then y.

A cell begins at the pixel that is shared with the cell before it. Target pixel (r, k) therefore
needs cell (r, k) and the first column or row of its right, lower and diagonal neighbours. Where
these four hold one colour only, the result stands in a table.
"""

import numpy as np
from numba import njit

WIDTH, HEIGHT, SIDE = 1000, 800, 96  # the surface, the state
ONE = 1 << 14  # smoothscale's fixed point
# Cells of a row: the 97th begins at the last pixel, the 98th takes what lies outside.
CELLS = SIDE + 2
CELL_H = 9  # the tallest cell; the pixels of a cell stand column after column
CELL_SIZE = 11 * CELL_H
# Room for a cell's pixels: a power of two, so that a pixel's address gives its cell.
BLOCK_BITS = 7
BLOCK = 1 << BLOCK_BITS
MIXED = -1  # colour of a cell that has more than one
# Colours are int64 with a field of 21 bits a channel: sums and products of all three at once.
RED, GREEN, CHANNEL = 42, 21, 255


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
def _weigh(p, weight):
    """Each channel times a 14-bit weight, rounded down."""
    red, green, blue = p >> RED, p >> GREEN & CHANNEL, p & CHANNEL
    return (red * weight >> 14) << RED | (green * weight >> 14) << GREEN | blue * weight >> 14


@njit(forceinline=True, _nrt=False)
def _shrink(total, reciprocal):
    """Each channel's sum back to 8 bits."""
    red, green, blue = total >> RED, total >> GREEN & 0x1FFFFF, total & 0x1FFFFF
    red, green, blue = red * reciprocal >> 16, green * reciprocal >> 16, blue * reciprocal >> 16
    return red << RED | green << GREEN | blue


@njit(forceinline=True, _nrt=False)
def _squeeze(colour, pixels, cell, k, rows, squeezed, base):
    """Do x for the first rows of a cell: their column k of the state into squeezed[base:]."""
    own, before = _X_OWN[k], _X_BEFORE[k + 1]
    wide = -1 if X_START[k + 1] - X_START[k] == 11 else 0
    c, right = colour[cell], colour[cell + 1]
    at, beside = cell * BLOCK, (cell + 1) * BLOCK
    if c == MIXED:
        for row in range(rows):
            total = _weigh(pixels[at + row], own) + (pixels[at + 10 * CELL_H + row] & wide)
            for column in range(1, 10):
                total += pixels[at + column * CELL_H + row]
            squeezed[base + row] = total
    else:
        total = _weigh(c, own) + 9 * c + (c & wide)
        for row in range(rows):
            squeezed[base + row] = total
    if right == MIXED:
        for row in range(rows):
            total = squeezed[base + row] + _weigh(pixels[beside + row], before)
            squeezed[base + row] = _shrink(total, _X_RECIPROCAL)
    else:
        last = _weigh(right, before)
        for row in range(rows):
            squeezed[base + row] = _shrink(squeezed[base + row] + last, _X_RECIPROCAL)


@njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
def downscale(colour, pixels, squeezed, uniform, out):
    """Cells (rows + 1) x 97 -> out uint8 (rows, 96, 3)."""
    for r in range(out.shape[0]):
        height = Y_START[r + 1] - Y_START[r]
        for k in range(SIDE):
            cell = r * CELLS + k
            c, below = colour[cell], cell + CELLS
            alike = c == colour[cell + 1] and c == colour[below] and c == colour[below + 1]
            if alike and c != MIXED:
                out[r, k, 0] = uniform[c >> RED, r, k]
                out[r, k, 1] = uniform[c >> GREEN & CHANNEL, r, k]
                out[r, k, 2] = uniform[c & CHANNEL, r, k]
                continue
            _squeeze(colour, pixels, cell, k, 12, squeezed, 0)
            _squeeze(colour, pixels, below, k, 1, squeezed, 12)
            total = _weigh(squeezed[0], _Y_OWN[r]) + _weigh(squeezed[12], _Y_BEFORE[r + 1])
            for row in range(1, height):
                total += squeezed[row]
            total = _shrink(total, _Y_RECIPROCAL)
            out[r, k, 0], out[r, k, 1] = total >> RED, total >> GREEN & CHANNEL
            out[r, k, 2] = total & CHANNEL
