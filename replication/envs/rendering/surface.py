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
PAD = 16  # rows above and below the surface, so that cells at its edges need no care


class Cells(NamedTuple):
    """The surface of the first `rows` rows of the state: N = (rows + 1) * CELLS cells, by rows.

    Those of the last row and column hold only what the ones before share, and are never read.
    """

    colour: np.ndarray  # int32 (N,): 0xRRGGBB or MIXED
    block: np.ndarray  # uint32 (N,): where the cell's pixels begin; NO_BLOCK: none in this frame
    used: np.ndarray  # int64 (1,): where the next block begins
    pixels: np.ndarray  # uint8 (N * BLOCK,)


class Lanes(NamedTuple):
    """What fills a cell's column: 9 or 10 rows of red, of green, of blue."""

    ink: np.ndarray  # uint8 (COLUMN,)
    first: np.ndarray  # int32 (COLUMN,): x
    last: np.ndarray  # int32 (COLUMN,)
    begin: np.ndarray  # uint8 (COLUMN,): `first` as a column of the cell that is filled
    end: np.ndarray  # uint8 (COLUMN,): the column after `last`


class Canvas(NamedTuple):
    """A surface, and room to work out what is painted on it."""

    cells: Cells
    lanes: Lanes
    first: np.ndarray  # int32 (HEIGHT + 2 * PAD,): what to paint of each row, from this x on;
    last: np.ndarray  # the same: to this x; nothing if first > last. See at_row
    counts: np.ndarray  # int64 (HEIGHT,): of a y's crossings with a polygon's edges
    crossings: np.ndarray  # int64 (8, HEIGHT): their x, 16.16 fixed point
    points: np.ndarray  # int64 (8, 2): the polygon's corners, x and y
    squeezed: np.ndarray  # uint32 (COLUMN,): see downscale.py
    uniform: np.ndarray  # uint8 (256, 96, 96): see downscale.py


def new_canvas(rows: int) -> Canvas:
    """A canvas for the first rows of the state."""
    n = (rows + 1) * CELLS
    cells = Cells(
        colour=np.zeros(n, np.int32),
        block=np.zeros(n, np.uint32),
        used=np.zeros(1, np.int64),
        pixels=np.zeros(n * BLOCK, np.uint8),
    )
    columns = {"ink": np.uint8, "first": np.int32, "last": np.int32}
    columns |= {"begin": np.uint8, "end": np.uint8}
    return Canvas(
        cells=cells,
        lanes=Lanes(**{name: np.zeros(COLUMN, dtype) for name, dtype in columns.items()}),
        first=np.zeros(HEIGHT + 2 * PAD, np.int32),
        last=np.zeros(HEIGHT + 2 * PAD, np.int32),
        counts=np.zeros(HEIGHT, np.int64),
        crossings=np.zeros((8, HEIGHT), np.int64),
        points=np.zeros((8, 2), np.int64),
        squeezed=np.zeros(COLUMN, np.uint32),
        uniform=UNIFORM,
    )


# The address of a pixel is a sum of two: the number of its cell << BITS, plus its place there.
_BITS = 9
_PLACE, _CELL = (1 << _BITS) - 1, (1 << 14) - 1
_SHARED = 1 << 24  # set where the pixel is shared with the cell before


def _addresses(start: np.ndarray, cell: int, pixel: int) -> tuple[np.ndarray, np.ndarray]:
    """What a pixel's x (or row in memory) adds to its address, in its last cell and the one before.

    The second is -1 where there is none.
    """
    at = np.arange(start[-1] + 1)
    own = np.searchsorted(start, at, "right") - 1
    shared = (at == start[own]) & (own > 0)
    before = np.maximum(own - 1, 0)
    address = own * (cell << _BITS) + (at - start[own]) * pixel
    address_before = before * (cell << _BITS) + (at - start[before]) * pixel
    return np.where(shared, address | _SHARED, address), np.where(shared, address_before, -1)


_AT_X, _BEFORE_X = _addresses(X_START, 1, COLUMN)
_AT_Y, _BEFORE_Y = (table[::-1].copy() for table in _addresses(Y_START, CELLS, 1))


def _owners(start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last cell that each x or row in memory belongs to: two, if it is shared."""
    at = np.arange(start[-1] + 1)
    first = np.maximum(np.searchsorted(start, at, "left") - 1, 0)
    return first, np.minimum(np.searchsorted(start, at, "right"), SIDE) - 1


_COLUMN_FIRST, _COLUMN_LAST = _owners(X_START)
_BAND_FIRST, _BAND_LAST = _owners(Y_START)


@njit(forceinline=True, _nrt=False)
def at_row(y):
    """Where the span of a drawn y stands: spans are in the order of rows in memory."""
    return np.uintp(PAD + HEIGHT - 1 - y)


@njit(forceinline=True, _nrt=False)
def clear(cells, ink):
    """Begin a frame, in one colour."""
    cells.colour[:] = ink
    cells.block[:] = NO_BLOCK
    cells.used[0] = 0


@njit(_nrt=False)
def _thaw(cells, cell):
    """Give a cell of one colour its pixels."""
    if cells.block[cell] == NO_BLOCK:
        cells.block[cell] = cells.used[0]
        cells.used[0] += BLOCK
    ink, cells.colour[cell] = cells.colour[cell], MIXED
    pixels = cells.pixels[cells.block[cell] : cells.block[cell] + BLOCK]
    _set_ink(pixels, ink)
    for column in range(1, BLOCK // COLUMN):
        for i in range(COLUMN):
            pixels[column * COLUMN + i] = pixels[i]


@njit(forceinline=True, _nrt=False)
def _set_ink(column, ink):
    """A colour into all rows of a column."""
    for row in range(ROWS):
        column[row], column[ROWS + row] = ink >> RED, ink >> GREEN & CHANNEL
        column[2 * ROWS + row] = ink & CHANNEL


@njit(forceinline=True, _nrt=False)
def _blend_at(cells, address, ink, alpha):
    """Blend one pixel of one cell."""
    cell = address >> _BITS & _CELL
    over = cells.colour[cell]
    if over == ink:
        return
    if over != MIXED:
        _thaw(cells, cell)
    at, pixels = cells.block[cell] + (address & _PLACE), cells.pixels
    red, green, blue = pixels[at], pixels[at + ROWS], pixels[at + 2 * ROWS]
    pixels[at] = red + (((ink >> RED) - red) * alpha >> 8)
    pixels[at + ROWS] = green + (((ink >> GREEN & CHANNEL) - green) * alpha >> 8)
    pixels[at + 2 * ROWS] = blue + (((ink & CHANNEL) - blue) * alpha >> 8)


@njit(_nrt=False)
def _blend_shared(cells, x, y, ink, alpha):
    """Blend a pixel in the cells before its last one."""
    at_x, at_y, before_x, before_y = _AT_X[x], _AT_Y[y], _BEFORE_X[x], _BEFORE_Y[y]
    if before_x >= 0:
        _blend_at(cells, before_x + at_y, ink, alpha)
    if before_y >= 0:
        _blend_at(cells, at_x + before_y, ink, alpha)
        if before_x >= 0:
            _blend_at(cells, before_x + before_y, ink, alpha)


@njit(forceinline=True, _nrt=False)
def blend(cells, x, y, ink, alpha):
    """_putPixelAlpha: each channel becomes (ink * alpha + under * (256 - alpha)) >> 8."""
    address = _AT_X[np.uintp(x)] + _AT_Y[np.uintp(y)]
    _blend_at(cells, address, ink, alpha)
    if address >= _SHARED:
        _blend_shared(cells, x, y, ink, alpha)


@njit(_nrt=False)
def _set_lanes(canvas, at):
    """The spans of ten rows from `at` on into the lanes."""
    lanes = canvas.lanes
    for channel in range(3):
        for row in range(ROWS):
            lanes.first[ROWS * channel + row] = canvas.first[at + np.uintp(row)]
            lanes.last[ROWS * channel + row] = canvas.last[at + np.uintp(row)]


@njit(_nrt=False)
def _fill(pixels, lanes, left, columns):
    """Fill the lanes' part of some columns of a cell, whose first x is `left`.

    The loops run over many lanes at once, in the processor's vectors.
    """
    low, high = np.int32(0), np.int32(CHANNEL)
    for i in range(COLUMN):
        lanes.begin[i] = min(max(np.int32(lanes.first[i] - left), low), high)
        lanes.end[i] = min(max(np.int32(lanes.last[i] - left + 1), low), high)
    for k in range(max(columns[0] - left, 0), min(columns[1] - left + 1, BLOCK // COLUMN)):
        column = pixels[k * COLUMN : (k + 1) * COLUMN]
        for i in range(COLUMN):
            inside = (lanes.begin[i] <= np.uint8(k)) & (np.uint8(k) < lanes.end[i])
            change = (column[i] ^ lanes.ink[i]) & np.uint8(-np.int64(inside))
            column[i] = np.uint8(column[i] ^ change)


@njit(_nrt=False)
def _paint_cell(cells, lanes, cell, columns, ink):
    """Paint the lanes' part of a cell; nothing of it lies outside of columns[0]..columns[1]."""
    if cells.colour[cell] == ink:
        return
    if cells.colour[cell] != MIXED:
        _thaw(cells, cell)
    pixels = cells.pixels[cells.block[cell] : cells.block[cell] + BLOCK]
    _fill(pixels, lanes, X_START[cell % CELLS], columns)


@njit(forceinline=True, _nrt=False)
def _extent(canvas, r):
    """Over the rows of a row of cells: least and greatest first x, least and greatest last x."""
    at = np.uintp(PAD + Y_START[r])
    least_first = greatest_first = canvas.first[at]
    least_last = greatest_last = canvas.last[at]
    for row in range(1, Y_START[r + 1] - Y_START[r] + 1):
        first, last = canvas.first[at + np.uintp(row)], canvas.last[at + np.uintp(row)]
        least_first, greatest_first = min(least_first, first), max(greatest_first, first)
        least_last, greatest_last = min(least_last, last), max(greatest_last, last)
    return least_first, greatest_first, least_last, greatest_last


@njit(_nrt=False)
def paint_spans(canvas, y_first, y_last, ink):
    """Fill the spans of each y from y_first to y_last; those around them are empty."""
    cells, lanes, rows = canvas.cells, canvas.lanes, len(canvas.cells.colour) // CELLS - 1
    _set_ink(lanes.ink, ink)
    last_band = min(_BAND_LAST[HEIGHT - 1 - y_first], rows - 1)
    for r in range(_BAND_FIRST[HEIGHT - 1 - y_last], last_band + 1):
        left, inner_left, inner_right, right = _extent(canvas, r)
        if left > right:
            continue
        first, last = _COLUMN_FIRST[left], _COLUMN_LAST[right]
        whole_first, whole_last = last + 1, last  # cells covered wholly
        if inner_left <= inner_right:
            from_k, to_k = _COLUMN_LAST[inner_left], _COLUMN_LAST[inner_right]
            from_k += X_START[from_k] < inner_left
            to_k -= X_START[to_k + 1] > inner_right
            if from_k <= to_k:
                whole_first, whole_last = from_k, to_k
        if first < whole_first or whole_last < last:
            _set_lanes(canvas, np.uintp(PAD + Y_START[r]))
        for k in range(first, whole_first):
            _paint_cell(cells, lanes, r * CELLS + k, (left, right), ink)
        for k in range(whole_first, whole_last + 1):
            cells.colour[r * CELLS + k] = ink
        for k in range(whole_last + 1, last + 1):
            _paint_cell(cells, lanes, r * CELLS + k, (left, right), ink)


@njit(_nrt=False)
def sort_crossings(canvas, y_first, y_last):
    """Each row's crossings in ascending order, unless there are two at most; the most of a row."""
    counts, crossings = canvas.counts, canvas.crossings
    most = 0
    for y in range(y_first, y_last + 1):
        most = max(most, counts[y])
    if most <= 2:
        return most
    for y in range(y_first, y_last + 1):
        for i in range(1, counts[y]):
            value, j = crossings[i, y], i
            while j > 0 and crossings[j - 1, y] > value:
                crossings[j, y] = crossings[j - 1, y]
                j -= 1
            crossings[j, y] = value
    return most


@njit(_nrt=False)
def find_spans(canvas, y_first, y_last, pair):
    """The spans between each row's crossings number `pair` and `pair` + 1; empty if there are none.

    So are those of the rows around.
    """
    clear_spans(canvas, y_first, y_last)
    one, other = canvas.crossings[pair], canvas.crossings[pair + 1]
    for y in range(y_first, y_last + 1):
        a = (min(one[y], other[y]) + 1 + 32768) >> 16
        b = (max(one[y], other[y]) - 1 + 32768) >> 16
        a, b = max(min(a, b), 0), min(max(a, b), WIDTH - 1)  # hlineColor swaps
        crossed = (canvas.counts[y] > pair + 1) & (a <= b)
        canvas.first[at_row(y)] = a if crossed else WIDTH
        canvas.last[at_row(y)] = b if crossed else -1


@njit(_nrt=False)
def clear_spans(canvas, y_first, y_last):
    """No spans in the rows around those from y_first to y_last."""
    above, below = at_row(y_last), at_row(y_first)
    for i in range(1, PAD):
        canvas.first[above - np.uintp(i)] = canvas.first[below + np.uintp(i)] = WIDTH
        canvas.last[above - np.uintp(i)] = canvas.last[below + np.uintp(i)] = -1
