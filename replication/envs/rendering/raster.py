"""CarRacing's drawing, pixel for pixel, on the surface of surface.py.

What is drawn, and the code whose every rounding it repeats:
- field, grass, road: gfxdraw.aapolygon, then gfxdraw.filled_polygon (SDL_gfxPrimitives.c);
- the car and the indicators: pygame.draw.polygon (pygame-ce, src_c/draw.c, draw_fillpoly).
"""

import math

from replication.envs.rendering.downscale import HEIGHT, WIDTH
from replication.envs.rendering.surface import (
    at_row,
    blend,
    clear_spans,
    find_spans,
    paint_spans,
    sort_crossings,
)

import numpy as np
from numba import njit


@njit(_nrt=False)
def _outside(x, y):
    """On which sides of the surface a point lies: left 1, right 2, bottom 4, top 8."""
    side = 1 if x < 0 else 2 if x >= WIDTH else 0
    return side | (8 if y < 0 else 4 if y >= HEIGHT else 0)


@njit(error_model="numpy", _nrt=False)
def _clip(x1, y1, x2, y2):
    """_clipLine: float32 slopes, cut towards zero; swaps the ends. First result: is any seen?"""
    while True:
        code1, code2 = _outside(x1, y1), _outside(x2, y2)
        if code1 | code2 == 0 or code1 & code2:
            return code1 | code2 == 0, x1, y1, x2, y2
        if code1 == 0:
            x1, y1, code1, x2, y2 = x2, y2, code2, x1, y1
        slope = np.float32(y2 - y1) / np.float32(x2 - x1) if x2 != x1 else np.float32(1)
        if code1 & 3:
            edge = 0 if code1 & 1 else WIDTH - 1
            y1 += np.int64(np.float32(edge - x1) * slope)
            x1 = edge
        else:
            edge = HEIGHT - 1 if code1 & 4 else 0
            if x2 != x1:
                x1 += np.int64(np.float32(edge - y1) / slope)
            y1 = edge


@njit(forceinline=True, _nrt=False)
def _blend_edge(canvas, x, y, ink, alpha):
    """Blend a pixel of an edge, unless its polygon's own fill covers it."""
    at = at_row(y)
    if x < canvas.first[at] or x > canvas.last[at]:
        blend(canvas.cells, x, y, ink, alpha)


@njit(error_model="numpy", _nrt=False)
def _straight_line(canvas, y_seen, start, end, ink):
    """A level or an upright line, in full colour to its end."""
    for y in range(max(min(start[1], end[1]), y_seen), max(start[1], end[1]) + 1):
        for x in range(min(start[0], end[0]), max(start[0], end[0]) + 1):
            _blend_edge(canvas, x, y, ink, 256)


@njit(error_model="numpy", _nrt=False)
def _aa_line(canvas, y_seen, start, end, ink):
    """_aalineColor without its end point: Wu's line, 16 bits of error, 8 bits of weight.

    The n-th pixel has gone n * step to the side. (For dx == dy the original's step overflows to 0
    and it turns at each pixel: 65536 does the same.) A weight w blends with 255 * w >> 8.
    """
    seen, x1, y1, x2, y2 = _clip(start[0], start[1], end[0], end[1])
    if not seen:
        return
    x, y, dx, dy = (x1, y1, x2 - x1, y2 - y1) if y1 <= y2 else (x2, y2, x1 - x2, y1 - y2)
    aside = 1 if dx >= 0 else -1
    dx = abs(dx)
    if dx == 0 or dy == 0:
        _straight_line(canvas, y_seen, (x1, y1), (x2, y2), ink)
        return
    _straight_line(canvas, y_seen, (x1, y1), (x1, y1), ink)
    if dy > dx:
        step = (dx << 16) // dy
        for n in range(max(1, y_seen - y), dy):
            weight, at_x = n * step >> 8 & 255, x + aside * (n * step >> 16)
            _blend_edge(canvas, at_x, y + n, ink, max(254 - weight, 0))
            if 0 <= at_x + aside < WIDTH:
                _blend_edge(canvas, at_x + aside, y + n, ink, max(weight - 1, 0))
    else:
        step = (dy << 16) // dx
        for n in range(max(1, ((y_seen - 1 - y) << 16) // step), dx):
            weight, at_y = n * step >> 8 & 255, y + (n * step >> 16)
            if at_y >= y_seen:
                _blend_edge(canvas, x + aside * n, at_y, ink, max(254 - weight, 0))
            if y_seen <= at_y + 1 < HEIGHT:
                _blend_edge(canvas, x + aside * n, at_y + 1, ink, max(weight - 1, 0))


@njit(error_model="numpy", _nrt=False)
def _gfx_crossings(canvas, y_first, y_last, bottom):
    """Where each row from y_first to y_last crosses the edges of four points."""
    counts, crossings, points = canvas.counts, canvas.crossings, canvas.points
    for y in range(y_first, y_last + 1):
        counts[y] = 0
    for i in range(4):
        j = (i + 1) % 4
        x1, y1, x2, y2 = points[i, 0], points[i, 1], points[j, 0], points[j, 1]
        if y1 > y2:
            x1, y1, x2, y2 = x2, y2, x1, y1
        dy = y2 - y1
        if dy == 0:
            continue
        start = max(y1, y_first)
        # part = 65536 * (y - y1) // dy, carried from row to row
        part, rest = divmod(65536 * (start - y1), dy)
        step, step_rest = divmod(65536, dy)
        end = y2 if y2 == bottom else y2 - 1  # the lowest row belongs to its edges
        for y in range(start, min(end, y_last) + 1):
            crossings[counts[y], y] = part * (x2 - x1) + 65536 * x1
            counts[y] += 1
            part, rest = part + step, rest + step_rest
            if rest >= dy:
                part, rest = part + 1, rest - dy


@njit(error_model="numpy", _nrt=False)
def gfx_quad(canvas, y_seen, ink):
    """gfxdraw.aapolygon and filled_polygon of the first four of canvas.points.

    The edges come first, but where the fill will cover them they are not drawn at all.
    """
    points = canvas.points
    top, bottom = HEIGHT, -1
    for i in range(4):
        top, bottom = min(top, points[i, 1]), max(bottom, points[i, 1])
    if bottom < y_seen - 1 or top >= HEIGHT:
        return
    y_first, y_last = max(top, y_seen), min(bottom, HEIGHT - 1)
    _gfx_crossings(canvas, y_first, y_last, bottom)
    pairs = sort_crossings(canvas, y_first, y_last) // 2
    find_spans(canvas, y_first, y_last, 0)
    for i in range(4):
        _aa_line(canvas, y_seen, points[i], points[(i + 1) % 4], ink)
    for pair in range(pairs):
        if pair > 0:
            find_spans(canvas, y_first, y_last, 2 * pair)
        paint_spans(canvas, y_first, y_last, ink)


@njit(error_model="numpy", _nrt=False)
def _draw_crossings(canvas, n, y_first, y_last, bottom):
    """The same for pygame.draw.polygon: by parity of the crossing in edge order, floor or ceil."""
    counts, crossings, points = canvas.counts, canvas.crossings, canvas.points
    for y in range(y_first, y_last + 1):
        counts[y] = 0
    for i in range(n):
        j = i - 1 if i else n - 1
        x1, y1, x2, y2 = points[j, 0], points[j, 1], points[i, 0], points[i, 1]
        if y1 > y2:
            x1, y1, x2, y2 = x2, y2, x1, y1
        if y1 == y2:
            continue
        end = y2 if y2 == bottom else y2 - 1
        for y in range(max(y1, y_first), min(end, y_last) + 1):
            across = np.float32((y - y1) * (x2 - x1)) / np.float32(y2 - y1)
            across = math.ceil(across) if counts[y] % 2 else math.floor(across)
            crossings[counts[y], y] = (np.int64(across) + x1) << 16
            counts[y] += 1


@njit(error_model="numpy", _nrt=False)
def _paint_rectangle(canvas, rows, columns, ink):
    """Fill all from the first to the last y and x."""
    clear_spans(canvas, rows[0], rows[1])
    for y in range(rows[0], rows[1] + 1):
        canvas.first[at_row(y)], canvas.last[at_row(y)] = columns
    paint_spans(canvas, rows[0], rows[1], ink)


@njit(error_model="numpy", _nrt=False)
def draw_polygon(canvas, y_seen, n, ink):
    """pygame.draw.polygon of the first n of canvas.points."""
    counts, crossings, points = canvas.counts, canvas.crossings, canvas.points
    top, bottom, left, right = points[0, 1], points[0, 1], points[0, 0], points[0, 0]
    for i in range(1, n):
        top, bottom = min(top, points[i, 1]), max(bottom, points[i, 1])
        left, right = min(left, points[i, 0]), max(right, points[i, 0])
    y_first, y_last = max(top, y_seen), min(bottom, HEIGHT - 1)
    if y_first > y_last:
        return
    _draw_crossings(canvas, n, y_first, y_last, bottom)
    if top == bottom:
        counts[top] = 2
        crossings[0, top], crossings[1, top] = left << 16, right << 16
    for pair in range(sort_crossings(canvas, y_first, y_last) // 2):
        find_spans(canvas, y_first, y_last, 2 * pair)
        paint_spans(canvas, y_first, y_last, ink)
    for i in range(n):  # level edges inside, which the scan may have left out
        j = i - 1 if i else n - 1
        y = points[i, 1]
        if top < y < bottom and points[j, 1] == y and y_first <= y <= y_last:
            a, b = min(points[i, 0], points[j, 0]), max(points[i, 0], points[j, 0])
            if b >= 0 and a < WIDTH:
                _paint_rectangle(canvas, (y, y), (max(a, 0), min(b, WIDTH - 1)), ink)


@njit(error_model="numpy", _nrt=False)
def draw_bar(canvas, y_seen, corner, opposite, ink):
    """pygame.draw.polygon of an upright rectangle, its corners (x, y) in the flipped surface."""
    x1, y1, x2, y2 = corner[0], corner[1], opposite[0], opposite[1]
    a, b = max(int(min(x1, x2)), 0), min(int(max(x1, x2)), WIDTH - 1)
    top, bottom = HEIGHT - 1 - int(max(y1, y2)), HEIGHT - 1 - int(min(y1, y2))
    top, bottom = max(top, y_seen), min(bottom, HEIGHT - 1)
    if a > b or top > bottom:
        return
    _paint_rectangle(canvas, (top, bottom), (a, b), ink)
