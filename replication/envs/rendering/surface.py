"""The surface that CarRacing is drawn on, 1000x800, kept as cells, and how it is painted.

The cells are those of downscale.py. One that a fill covers wholly keeps its colour only; one that
an edge touches is kept as pixels, in a block of a pool: the blocks are given out anew in each
frame, always from the first one, so that they stay in the processor's cache. Coordinates are those
of gymnasium, which draws everything upside down and flips the surface at the end; the tables below
flip on the way to memory.
"""

from typing import NamedTuple

from replication.envs.rendering.downscale import (
    BLOCK,
    CHANNEL,
    COLUMN,
    GREEN,
    HEIGHT,
    MIXED,
    RED,
    ROWS,
    SIDE,
    UNIFORM,
    WIDTH,
    X_START,
    Y_START,
)

import numpy as np
from numba import njit

CELLS = SIDE + 1  # of a row
NO_BLOCK = np.uint32(2**32 - 1)


class Canvas(NamedTuple):
    """A surface for the first `rows` rows of the state, and room to work out what is painted.

    Its N = (rows + 1) * CELLS cells stand row after row; those of the last row and column hold only
    what the ones before share, and are never read.
    """

    colour: np.ndarray  # int32 (N,): 0xRRGGBB or MIXED
    block: np.ndarray  # uint32 (N,): where the cell's pixels begin; NO_BLOCK: none in this frame
    used: np.ndarray  # int64 (1,): where the next block begins
    pixels: np.ndarray  # uint8 (N * BLOCK,)
    spans: np.ndarray  # int64 (HEIGHT + 1, 2): first and last x of each y; none if first > last
    counts: np.ndarray  # int64 (HEIGHT,): of a y's crossings with a polygon's edges
    crossings: np.ndarray  # int64 (HEIGHT, 8): their x, 16.16 fixed point
    points: np.ndarray  # int64 (8, 2): the polygon's corners, x and y
    lanes: np.ndarray  # uint8 (3, COLUMN): first and last column of a fill, and its ink
    squeezed: np.ndarray  # uint32 (COLUMN,): see downscale.py
    uniform: np.ndarray  # uint8 (256, 96, 96): see downscale.py


def new_canvas(rows: int) -> Canvas:
    """A canvas for the first rows of the state."""
    cells = (rows + 1) * CELLS
    return Canvas(
        colour=np.zeros(cells, np.int32),
        block=np.zeros(cells, np.uint32),
        used=np.zeros(1, np.int64),
        pixels=np.zeros(cells * BLOCK, np.uint8),
        spans=np.zeros((HEIGHT + 1, 2), np.int64),
        counts=np.zeros(HEIGHT, np.int64),
        crossings=np.zeros((HEIGHT, 8), np.int64),
        points=np.zeros((8, 2), np.int64),
        lanes=np.zeros((3, COLUMN), np.uint8),
        squeezed=np.zeros(COLUMN, np.uint32),
        uniform=UNIFORM,
    )


# The address of a pixel is a sum of two: the number of its cell << BITS, plus its place there.
_BITS = 9
_PLACE, _CELL = (1 << _BITS) - 1, (1 << 14) - 1
_SHARED = 1 << 24  # set where the pixel is shared with the cell before


def _addresses(start: np.ndarray, cell: int, pixel: int) -> np.ndarray:
    """What a pixel's x or row in memory adds to its address in the last of its cells."""
    at = np.arange(start[-1] + 1)
    own = np.searchsorted(start, at, "right") - 1
    place = at - start[own]
    return own * (cell << _BITS) + place * pixel + np.where((place == 0) & (own > 0), _SHARED, 0)


_AT_X, _AT_Y = _addresses(X_START, 1, COLUMN), _addresses(Y_START, CELLS, 1)[::-1].copy()
_ROW = HEIGHT - 1 - np.arange(HEIGHT)  # row in memory of each drawn y
# The first and the last row or column of cells that a pixel belongs to: two, if they share it.
_BAND_FIRST = np.maximum(np.searchsorted(Y_START, _ROW, "left") - 1, 0)
_BAND_LAST = np.searchsorted(Y_START, _ROW, "right") - 1
_COLUMN_FIRST = np.maximum(np.searchsorted(X_START, np.arange(WIDTH), "left") - 1, 0)
_COLUMN_LAST = np.searchsorted(X_START, np.arange(WIDTH), "right") - 1
_X_END = np.append(X_START[1:], WIDTH - 1)  # last x of each column of cells
_BAND_TOP = HEIGHT - 1 - np.append(Y_START[1:], HEIGHT - 1)  # smallest drawn y of a row of cells
_BAND_BOTTOM = HEIGHT - 1 - Y_START  # largest


@njit(forceinline=True, _nrt=False)
def clear(canvas, ink):
    """Begin a frame, in one colour."""
    canvas.colour[:] = ink
    canvas.block[:] = NO_BLOCK
    canvas.used[0] = 0


@njit(_nrt=False)
def _thaw(colour, block, used, pixels, cell):
    """Give a cell of one colour its pixels."""
    if block[cell] == NO_BLOCK:
        block[cell] = used[0]
        used[0] += BLOCK
    ink, colour[cell] = colour[cell], MIXED
    first = pixels[block[cell] : block[cell] + BLOCK]
    for row in range(ROWS):
        first[row], first[ROWS + row] = ink >> RED, ink >> GREEN & CHANNEL
        first[2 * ROWS + row] = ink & CHANNEL
    for column in range(1, BLOCK // COLUMN):
        for i in range(COLUMN):
            first[column * COLUMN + i] = first[i]


@njit(forceinline=True, _nrt=False)
def _blend_at(canvas, address, ink, alpha):
    """Blend one pixel of one cell."""
    cell = address >> _BITS & _CELL
    over = canvas.colour[cell]
    if over == ink:
        return
    if over != MIXED:
        _thaw(canvas.colour, canvas.block, canvas.used, canvas.pixels, cell)
    at, pixels = canvas.block[cell] + (address & _PLACE), canvas.pixels
    red, green, blue = pixels[at], pixels[at + ROWS], pixels[at + 2 * ROWS]
    pixels[at] = red + (((ink >> RED) - red) * alpha >> 8)
    pixels[at + ROWS] = green + (((ink >> GREEN & CHANNEL) - green) * alpha >> 8)
    pixels[at + 2 * ROWS] = blue + (((ink & CHANNEL) - blue) * alpha >> 8)


@njit(_nrt=False)
def _blend_shared(canvas, x, y, ink, alpha):
    """Blend a pixel in the other cells that share it."""
    row = HEIGHT - 1 - y
    for r in range(_BAND_FIRST[y], _BAND_LAST[y] + 1):
        for k in range(_COLUMN_FIRST[x], _COLUMN_LAST[x] + 1):
            if r < _BAND_LAST[y] or k < _COLUMN_LAST[x]:
                place = (x - X_START[k]) * COLUMN + row - Y_START[r]
                _blend_at(canvas, (r * CELLS + k << _BITS) + place, ink, alpha)


@njit(forceinline=True, _nrt=False)
def blend(canvas, x, y, ink, alpha):
    """_putPixelAlpha: each channel becomes (ink * alpha + under * (256 - alpha)) >> 8."""
    address = _AT_X[x] + _AT_Y[y]
    _blend_at(canvas, address, ink, alpha)
    if address >= _SHARED:
        _blend_shared(canvas, x, y, ink, alpha)


@njit(_nrt=False)
def _set_ink(lanes, ink):
    for row in range(ROWS):
        lanes[2, row], lanes[2, ROWS + row] = ink >> RED, ink >> GREEN & CHANNEL
        lanes[2, 2 * ROWS + row] = ink & CHANNEL


@njit(_nrt=False)
def _fill(pixels, lanes):
    """Fill a cell's pixels with the lanes' ink, from their first to their last column."""
    for column in range(BLOCK // COLUMN):
        part, k = pixels[column * COLUMN : (column + 1) * COLUMN], np.uint8(column)
        for i in range(COLUMN):
            inside = (lanes[0, i] <= k) & (k <= lanes[1, i])
            mask = np.uint8(-np.int64(inside))
            part[i] = np.uint8(part[i] ^ ((part[i] ^ lanes[2, i]) & mask))


@njit(_nrt=False)
def _paint_cell(canvas, r, k, y_first, y_last, ink):
    """The spans' part of one cell; the ink stands in canvas.lanes, too."""
    cell, lanes = r * CELLS + k, canvas.lanes
    if canvas.colour[cell] == ink:
        return
    if canvas.colour[cell] != MIXED:
        _thaw(canvas.colour, canvas.block, canvas.used, canvas.pixels, cell)
    left, right = X_START[k], _X_END[k]
    for row in range(ROWS):
        y = _BAND_BOTTOM[r] - row
        first, last = 255, 0
        if y_first <= y <= y_last:
            first, last = canvas.spans[y, 0], canvas.spans[y, 1]
            seen = first <= right and last >= left
            first, last = (max(first - left, 0), min(last, right) - left) if seen else (255, 0)
        lanes[0, row], lanes[0, ROWS + row], lanes[0, 2 * ROWS + row] = first, first, first
        lanes[1, row], lanes[1, ROWS + row], lanes[1, 2 * ROWS + row] = last, last, last
    _fill(canvas.pixels[canvas.block[cell] : canvas.block[cell] + BLOCK], lanes)


@njit(_nrt=False)
def paint_spans(canvas, y_first, y_last, ink):
    """Fill spans[y] = first and last x, for each y from y_first to y_last."""
    spans, rows = canvas.spans, len(canvas.colour) // CELLS - 1
    _set_ink(canvas.lanes, ink)
    for r in range(_BAND_FIRST[y_last], min(_BAND_LAST[y_first], rows - 1) + 1):
        top, bottom = max(y_first, _BAND_TOP[r]), min(y_last, _BAND_BOTTOM[r])
        left, inner_left, inner_right, right = WIDTH, 0, WIDTH - 1, -1
        for y in range(top, bottom + 1):
            left, inner_left = min(left, spans[y, 0]), max(inner_left, spans[y, 0])
            right, inner_right = max(right, spans[y, 1]), min(inner_right, spans[y, 1])
        if left > right:
            continue
        first, last = _COLUMN_FIRST[left], min(_COLUMN_LAST[right], SIDE - 1)
        whole_first, whole_last = last + 1, last  # cells covered wholly
        if bottom - top == _BAND_BOTTOM[r] - _BAND_TOP[r] and inner_left <= inner_right:
            whole_first, whole_last = _COLUMN_LAST[inner_left], _COLUMN_LAST[inner_right]
            whole_first += X_START[whole_first] < inner_left
            whole_last = min(whole_last - (_X_END[whole_last] > inner_right), SIDE - 1)
            if whole_first > whole_last:
                whole_first, whole_last = last + 1, last
        for k in range(first, whole_first):
            _paint_cell(canvas, r, k, top, bottom, ink)
        for k in range(whole_first, whole_last + 1):
            canvas.colour[r * CELLS + k] = ink
        for k in range(whole_last + 1, last + 1):
            _paint_cell(canvas, r, k, top, bottom, ink)


@njit(_nrt=False)
def sort_crossings(canvas, y_first, y_last):
    """Each row's crossings in ascending order; returns how many a row has at most."""
    counts, crossings = canvas.counts, canvas.crossings
    most = 0
    for y in range(y_first, y_last + 1):
        most = max(most, counts[y])
        for i in range(1, counts[y]):
            value, j = crossings[y, i], i
            while j > 0 and crossings[y, j - 1] > value:
                crossings[y, j] = crossings[y, j - 1]
                j -= 1
            crossings[y, j] = value
    return most


@njit(_nrt=False)
def find_spans(canvas, y_first, y_last, pair):
    """spans between each row's crossings number `pair` and `pair` + 1; empty where there are none.

    The row after the last one gets an empty span too.
    """
    spans, counts, crossings = canvas.spans, canvas.counts, canvas.crossings
    for y in range(y_first, y_last + 1):
        spans[y, 0], spans[y, 1] = WIDTH, -1
        if counts[y] > pair + 1:
            a = (crossings[y, pair] + 1 + 32768) >> 16
            b = (crossings[y, pair + 1] - 1 + 32768) >> 16
            a, b = max(min(a, b), 0), min(max(a, b), WIDTH - 1)  # hlineColor swaps
            if a <= b:
                spans[y, 0], spans[y, 1] = a, b
    spans[y_last + 1, 0], spans[y_last + 1, 1] = WIDTH, -1
