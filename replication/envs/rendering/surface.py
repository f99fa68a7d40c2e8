"""The surface that CarRacing is drawn on, 1000x800, kept as cells, and how spans of it are filled.

The cells are those of downscale.py. One that a fill covers wholly keeps its colour only; one that
an edge touches is kept as pixels. Coordinates are those of gymnasium, which draws everything
upside down and flips the surface at the end; the tables below flip on the way to memory.
"""

from replication.envs.rendering.downscale import (
    BLOCK,
    BLOCK_BITS,
    CELL_H,
    CELL_SIZE,
    CELLS,
    GREEN,
    HEIGHT,
    MIXED,
    RED,
    WIDTH,
    X_START,
    Y_START,
)

import numpy as np
from numba import njit

_ROW = HEIGHT - 1 - np.arange(HEIGHT)  # row in memory of each drawn y
_BAND = np.searchsorted(Y_START, _ROW, "right") - 1  # row of cells
_COLUMN = np.searchsorted(X_START, np.arange(WIDTH), "right") - 1  # column of cells of each x
_X_END = np.append(X_START[1:], WIDTH) - 1  # last x of each column of cells
_BAND_BOTTOM = HEIGHT - 1 - Y_START  # largest drawn y of each row of cells
_BAND_TOP = HEIGHT - np.append(Y_START[1:], HEIGHT)  # smallest
# Pixel (x, y) stands at at_y[y] + AT_X[x + 1]; x = -1 and x = WIDTH fall in the spare column.
AT_X = np.full(WIDTH + 2, (CELLS - 1) * BLOCK)
AT_X[1:-1] = _COLUMN * BLOCK + (np.arange(WIDTH) - X_START[_COLUMN]) * CELL_H
_FIELDS = 255 << RED | 255 << GREEN | 255


def addresses(rows: int) -> np.ndarray:
    """at_y for y from 0 to HEIGHT: rows not in the state fall in a spare row of cells."""
    at_y = np.append(_BAND * CELLS * BLOCK + _ROW - Y_START[_BAND], 0)
    at_y[: HEIGHT - 1 - Y_START[rows]] = at_y[HEIGHT] = (rows + 1) * CELLS * BLOCK
    return at_y


@njit(_nrt=False)
def _thaw(colour, pixels, cell):
    """Give a cell of one colour its pixels."""
    ink, colour[cell] = colour[cell], MIXED
    if ink != MIXED:
        for at in range(cell * BLOCK, cell * BLOCK + CELL_SIZE):
            pixels[at] = ink


@njit(forceinline=True, _nrt=False)
def blend(colour, pixels, at, ink, alpha):
    """_putPixelAlpha: each channel becomes (ink * alpha + under * (256 - alpha)) >> 8."""
    cell = at >> BLOCK_BITS
    over = colour[cell]
    if over != ink:
        if over != MIXED:
            _thaw(colour, pixels, cell)
        pixels[at] = (ink * alpha + pixels[at] * (256 - alpha)) >> 8 & _FIELDS


@njit(_nrt=False)
def _paint_cell(colour, pixels, at_y, band, k, spans, y_first, y_last, ink):
    """The spans' part of one cell."""
    cell = band * CELLS + k
    if colour[cell] == ink:
        return
    _thaw(colour, pixels, cell)
    for y in range(y_first, y_last + 1):
        first, last = max(spans[y, 0], X_START[k]), min(spans[y, 1], _X_END[k])
        at = at_y[y] + AT_X[first + 1]
        for i in range(0, (last - first + 1) * CELL_H, CELL_H):
            pixels[at + i] = ink


@njit(_nrt=False)
def paint_spans(colour, pixels, at_y, spans, y_first, y_last, ink):
    """Fill spans[y] = first and last x, for each y from y_first to y_last."""
    for band in range(_BAND[y_last], _BAND[y_first] + 1):
        top, bottom = max(y_first, _BAND_TOP[band]), min(y_last, _BAND_BOTTOM[band])
        left, inner_left, inner_right, right = WIDTH, 0, WIDTH - 1, -1
        for y in range(top, bottom + 1):
            left, inner_left = min(left, spans[y, 0]), max(inner_left, spans[y, 0])
            right, inner_right = max(right, spans[y, 1]), min(inner_right, spans[y, 1])
        if left > right:
            continue
        first, last, row = _COLUMN[left], _COLUMN[right], band * CELLS
        whole_first, whole_last = last + 1, last  # cells covered wholly
        if bottom - top == _BAND_BOTTOM[band] - _BAND_TOP[band] and inner_left <= inner_right:
            whole_first = _COLUMN[inner_left] + (X_START[_COLUMN[inner_left]] < inner_left)
            whole_last = _COLUMN[inner_right] - (_X_END[_COLUMN[inner_right]] > inner_right)
            if whole_first > whole_last:
                whole_first, whole_last = last + 1, last
        for k in range(first, whole_first):
            _paint_cell(colour, pixels, at_y, band, k, spans, top, bottom, ink)
        for k in range(whole_first, whole_last + 1):
            colour[row + k] = ink
        for k in range(whole_last + 1, last + 1):
            _paint_cell(colour, pixels, at_y, band, k, spans, top, bottom, ink)


@njit(_nrt=False)
def paint_crossings(colour, pixels, at_y, spans, counts, crossings, y_first, y_last, ink):
    """Fill between each row's crossings, 16.16 fixed point, two by two in ascending order."""
    most = 0
    for y in range(y_first, y_last + 1):
        most = max(most, counts[y])
        for i in range(1, counts[y]):
            value, j = crossings[y, i], i
            while j > 0 and crossings[y, j - 1] > value:
                crossings[y, j] = crossings[y, j - 1]
                j -= 1
            crossings[y, j] = value
    for pair in range(0, most, 2):
        for y in range(y_first, y_last + 1):
            spans[y, 0], spans[y, 1] = WIDTH, -1
            if counts[y] > pair + 1:
                a = (crossings[y, pair] + 1 + 32768) >> 16
                b = (crossings[y, pair + 1] - 1 + 32768) >> 16
                a, b = max(min(a, b), 0), min(max(a, b), WIDTH - 1)  # hlineColor swaps
                if a <= b:
                    spans[y, 0], spans[y, 1] = a, b
        paint_spans(colour, pixels, at_y, spans, y_first, y_last, ink)
