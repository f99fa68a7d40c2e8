"""CarRacing's drawing, pixel for pixel, on the surface of surface.py.

What is drawn, and the code whose every rounding it repeats:
- field, grass, road: gfxdraw.aapolygon, then gfxdraw.filled_polygon (SDL_gfxPrimitives.c);
- the car and the indicators: pygame.draw.polygon (pygame-ce, src_c/draw.c, draw_fillpoly);
- rotations: pygame.Vector2.rotate_rad in float64, Box2D's b2Mul in float32, no fused multiply-add.
"""

import math

from replication.envs.rendering.downscale import GREEN, HEIGHT, RED, WIDTH
from replication.envs.rendering.surface import AT_X, blend, paint_crossings, paint_spans

import numpy as np
from numba import njit

BAR = 100  # rows at the bottom that the indicator bar covers: the world is not seen there


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


@njit(error_model="numpy", _nrt=False)
def _aa_line(colour, pixels, at_y, y_seen, x1, y1, x2, y2, ink):
    """_aalineColor without its end point: Wu's line, 16 bits of error, 8 bits of weight.

    The n-th pixel has gone n * step to the side. (For dx == dy the original's step overflows to 0
    and it turns at each pixel: 65536 does the same.) A weight w blends with 255 * w >> 8.
    """
    seen, x1, y1, x2, y2 = _clip(x1, y1, x2, y2)
    if not seen:
        return
    x, y, dx, dy = (x1, y1, x2 - x1, y2 - y1) if y1 <= y2 else (x2, y2, x1 - x2, y1 - y2)
    aside = 1 if dx >= 0 else -1
    dx = abs(dx)
    if dx == 0 or dy == 0:  # the whole line in full colour
        for i in range(max(dx, dy) + 1):
            at = AT_X[x + 1 + i * aside] + at_y[y] if dx else AT_X[x + 1] + at_y[y + i]
            blend(colour, pixels, at, ink, 256)
        return
    blend(colour, pixels, at_y[y1] + AT_X[x1 + 1], ink, 256)
    x += 1  # as AT_X counts
    if dy > dx:
        step = (dx << 16) // dy
        for n in range(max(1, y_seen - y), dy):
            weight = n * step >> 8 & 255
            at_x = x + aside * (n * step >> 16)
            blend(colour, pixels, at_y[y + n] + AT_X[at_x], ink, max(254 - weight, 0))
            blend(colour, pixels, at_y[y + n] + AT_X[at_x + aside], ink, max(weight - 1, 0))
    else:
        step = (dy << 16) // dx
        for n in range(max(1, ((y_seen - 1 - y) << 16) // step), dx):
            weight = n * step >> 8 & 255
            row, at = y + (n * step >> 16), AT_X[x + n * aside]
            blend(colour, pixels, at_y[row] + at, ink, max(254 - weight, 0))
            blend(colour, pixels, at_y[row + 1] + at, ink, max(weight - 1, 0))


@njit(error_model="numpy", _nrt=False)
def _gfx_quad(colour, pixels, at_y, y_seen, spans, counts, crossings, points, ink):
    """gfxdraw.aapolygon and filled_polygon of four points."""
    top, bottom = HEIGHT, -1
    for i in range(4):
        j = (i + 1) % 4
        _aa_line(
            colour,
            pixels,
            at_y,
            y_seen,
            points[i, 0],
            points[i, 1],
            points[j, 0],
            points[j, 1],
            ink,
        )
        top, bottom = min(top, points[i, 1]), max(bottom, points[i, 1])
    y_first, y_last = max(top, y_seen), min(bottom, HEIGHT - 1)
    if y_first > y_last:
        return
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
        start = max(y1, y_seen)
        # part = 65536 * (y - y1) // dy, carried from row to row
        part, rest = divmod(65536 * (start - y1), dy)
        step, step_rest = divmod(65536, dy)
        end = y2 if y2 == bottom else y2 - 1  # the lowest row belongs to its edges
        for y in range(start, min(end, HEIGHT - 1) + 1):
            crossings[y, counts[y]] = part * (x2 - x1) + 65536 * x1
            counts[y] += 1
            part, rest = part + step, rest + step_rest
            if rest >= dy:
                part, rest = part + 1, rest - dy
    paint_crossings(colour, pixels, at_y, spans, counts, crossings, y_first, y_last, ink)


@njit(error_model="numpy", _nrt=False)
def _draw_polygon(colour, pixels, at_y, y_seen, spans, counts, crossings, points, n, ink):
    """pygame.draw.polygon: by parity of the crossing in edge order, floor or ceil."""
    top, bottom, left, right = points[0, 1], points[0, 1], points[0, 0], points[0, 0]
    for i in range(1, n):
        top, bottom = min(top, points[i, 1]), max(bottom, points[i, 1])
        left, right = min(left, points[i, 0]), max(right, points[i, 0])
    y_first, y_last = max(top, y_seen), min(bottom, HEIGHT - 1)
    if y_first > y_last:
        return
    for y in range(y_first, y_last + 1):
        counts[y] = 0
    if top == bottom:
        counts[top] = 2
        crossings[top, 0], crossings[top, 1] = left << 16, right << 16
    for i in range(n):
        j = i - 1 if i else n - 1
        x1, y1, x2, y2 = points[j, 0], points[j, 1], points[i, 0], points[i, 1]
        if y1 > y2:
            x1, y1, x2, y2 = x2, y2, x1, y1
        if y1 == y2:
            continue
        end = y2 if y2 == bottom else y2 - 1
        for y in range(max(y1, y_seen), min(end, HEIGHT - 1) + 1):
            across = np.float32((y - y1) * (x2 - x1)) / np.float32(y2 - y1)
            across = math.ceil(across) if counts[y] % 2 else math.floor(across)
            crossings[y, counts[y]] = (np.int64(across) + x1) << 16
            counts[y] += 1
    paint_crossings(colour, pixels, at_y, spans, counts, crossings, y_first, y_last, ink)
    for i in range(n):  # level edges inside, which the scan may have left out
        j = i - 1 if i else n - 1
        y = points[i, 1]
        if top < y < bottom and points[j, 1] == y and y_first <= y <= y_last:
            a, b = min(points[i, 0], points[j, 0]), max(points[i, 0], points[j, 0])
            if b >= 0 and a < WIDTH:
                spans[y, 0], spans[y, 1] = max(a, 0), min(b, WIDTH - 1)
                paint_spans(colour, pixels, at_y, spans, y, y, ink)


@njit(error_model="numpy", _nrt=False)
def _wheel_mark(shape, phase):
    """The white part of a wheel (Car.draw) into shape float32 (4, 2); False: it is behind."""
    front, rear = math.cos(phase), math.cos(phase + 1.2)
    front_hidden, rear_hidden = math.sin(phase) > 0, math.sin(phase + 1.2) > 0
    if front_hidden and rear_hidden:
        return False
    front = np.sign(front) if front_hidden else front
    rear = np.sign(rear) if rear_hidden else rear
    for i in range(4):
        shape[i, 0] = (-14 if i in (0, 3) else 14) * 0.02
        shape[i, 1] = 27 * (front if i < 2 else rear) * 0.02
    return True


@njit(error_model="numpy", _nrt=False)
def _body_polygon(shape, n, body, view, points):
    """b2Mul in float32, then the camera in float64, cut towards zero."""
    c, s, x0, y0 = body[0], body[1], body[2], body[3]
    for i in range(n):
        vx, vy = shape[i, 0], shape[i, 1]
        x, y = np.float64((c * vx - s * vy) + x0), np.float64((s * vx + c * vy) + y0)
        points[i, 0] = np.int64((view[0] * x - view[1] * y) * view[2] + view[3])
        points[i, 1] = np.int64((view[1] * x + view[0] * y) * view[2] + view[4])


@njit(error_model="numpy", _nrt=False)
def _bar(colour, pixels, at_y, y_seen, spans, x1, y1, x2, y2, ink):
    """pygame.draw.polygon of an upright rectangle, its corners in the flipped surface."""
    a, b = max(int(min(x1, x2)), 0), min(int(max(x1, x2)), WIDTH - 1)
    top, bottom = HEIGHT - 1 - int(max(y1, y2)), HEIGHT - 1 - int(min(y1, y2))
    top, bottom = max(top, y_seen), min(bottom, HEIGHT - 1)
    if a > b or top > bottom:
        return
    for y in range(top, bottom + 1):
        spans[y, 0], spans[y, 1] = a, b
    paint_spans(colour, pixels, at_y, spans, top, bottom, ink)


@njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
def draw_indicators(colour, pixels, at_y, spans, y_seen, gauges, text, text_x, text_y):
    """The bar at the bottom: gauges are speed, four wheel speeds, steering angle, turning speed."""
    _bar(colour, pixels, at_y, y_seen, spans, WIDTH, HEIGHT, 0, HEIGHT - BAR, 0)
    for i in range(5):
        if abs(gauges[i]) > 1e-4:
            place, height = (5, 0.02) if i == 0 else (6 + i, 0.01)
            ink = (
                (255 << RED | 255 << GREEN | 255) if i == 0 else 255 if i < 3 else (51 << RED | 255)
            )
            high = HEIGHT - (20.0 + 20.0 * (height * gauges[i]))
            x = place * 25
            _bar(colour, pixels, at_y, y_seen, spans, x, high, x + 25, HEIGHT - 20, ink)
    for i in range(5, 7):
        if abs(gauges[i]) > 1e-4:
            place, length, ink = (20, -10.0, 255 << GREEN) if i == 5 else (30, -0.8, 255 << RED)
            end = (place + length * gauges[i]) * 25.0
            _bar(
                colour, pixels, at_y, y_seen, spans, place * 25, HEIGHT - 80, end, HEIGHT - 40, ink
            )
    for row in range(text.shape[0]):
        y = HEIGHT - 1 - (text_y + row)
        for column in range(max(0, -text_x), min(text.shape[1], WIDTH - text_x)):
            blend(colour, pixels, at_y[y] + AT_X[text_x + column + 1], text[row, column], 256)


@njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
def draw_world(canvas, y_seen, quads, tints, view, field, car, bodies, phases):
    """Field, grass, road and car into the cells.

    quads float64 (N, 4, 2): the field first, then grass and road in drawing order; tints float64
    (N, 3); view: cosine, sine, zoom and translation of the camera; bodies float32 (5, 4): cosine,
    sine, x, y of four wheels and the hull; field: does the screen show more than the field?
    """
    colour, pixels, at_y, spans, counts, crossings, points = canvas
    colour[:] = 0
    c, s, zoom, tx, ty = view
    for q in range(len(quads)):
        ink = int(tints[q, 0]) << RED | int(tints[q, 1]) << GREEN | int(tints[q, 2])
        if q == 0 and not field:
            colour[:] = ink
            continue
        left, right, top, bottom = 1e9, -1e9, 1e9, -1e9
        for i in range(4):
            x, y = quads[q, i, 0], quads[q, i, 1]
            px, py = (c * x - s * y) * zoom + tx, (s * x + c * y) * zoom + ty
            points[i, 0], points[i, 1] = int(px), int(py)
            left, right, top, bottom = min(left, px), max(right, px), min(top, py), max(bottom, py)
        if right > -2 and left < WIDTH + 1 and bottom > y_seen - 2 and top < HEIGHT + 1:
            _gfx_quad(colour, pixels, at_y, y_seen, spans, counts, crossings, points, ink)
    shapes, lengths, owners, inks = car
    for i in range(len(shapes)):
        if i < 8 and i % 2 and not _wheel_mark(shapes[i], phases[i // 2]):
            continue
        _body_polygon(shapes[i], lengths[i], bodies[owners[i]], view, points)
        _draw_polygon(
            colour, pixels, at_y, y_seen, spans, counts, crossings, points, lengths[i], inks[i]
        )
