"""CarRacing-v0's picture as OpenGL drew it: one sample a pixel, no antialiasing.

gym 0.9 drew its states in a window of 1200 x 1000, seen through a viewport of 96 x 96. The kernels
repeat, rounding for rounding, what Mesa's software driver (llvmpipe) makes of that: the matrix in
float32, triangles clipped to the view, corners snapped to 1/256 pixel, cover decided in integers.

Clip coordinates x and y are float32 and go from -1 to 1 over the view, y upwards. Snapped ones are
integers; pixel (row, column) has its centre at y = 256 * row, x = 256 * column.
"""

import math
from typing import NamedTuple

from replication.compiled import compiled

import numpy as np
from gymnasium.envs.box2d.car_dynamics import SIZE, WHEEL_R, WHEEL_W
from gymnasium.envs.box2d.car_racing import SCALE, ZOOM
from numba import njit

WINDOW_W, WINDOW_H = 1200, 1000  # gym 0.9's window
SIDE = 96  # of the viewport
UNIT = 256  # snapped units a pixel
_OPTIONS = {"error_model": "numpy", "_nrt": False}
_ROWS_ABOVE = WINDOW_H - SIDE  # of the window's surface: the viewport is at its bottom
_ONE = np.float32(1)
_HALF = np.float32(0.5)
_PER_PIXEL = np.float32(UNIT)
_PROJECT_X, _PROJECT_Y = np.float32(2 / WINDOW_W), np.float32(2 / WINDOW_H)
_DEGREES = 57.29577951308232  # gym's RAD2DEG
# Inks are 0xBBGGRR, so that their bytes stand in memory as red, green, blue.
_BLACK, _WHITE, _RED, _GREEN = 0, 0xFFFFFF, 0x0000FF, 0x00FF00
_FRONT_WHEEL, _REAR_WHEEL = 0xFF0000, 0xFF0033
_MARK = 0x4C4C4C  # 76: 0.3 * 255 is a tie, and Mesa rounds to even


class Canvas(NamedTuple):
    """What one frame is drawn with; nothing in it outlives the frame."""

    corners: np.ndarray  # float32 (P, 8, 2), the polygons in view, in clip coordinates
    sizes: np.ndarray  # int64 (P,), corners of each
    inks: np.ndarray  # uint32 (P,)
    clipped: np.ndarray  # float32 (2, 8, 2), a triangle while it is clipped
    pixels: np.ndarray  # uint32 (rows, 96), inks


def new_canvas(polygons: int, rows: int) -> Canvas:
    """A canvas for the first `rows` rows, with room for so many polygons of ground and car."""
    polygons += 4 + 8  # the marks of the wheels, the indicators
    return Canvas(
        np.empty((polygons, 8, 2), np.float32),
        np.empty(polygons, np.int64),
        np.empty(polygons, np.uint32),
        np.empty((2, 8, 2), np.float32),
        np.empty((rows, SIDE), np.uint32),
    )


@njit(**_OPTIONS)
def _snap(x, y):
    """Clip coordinates -> the window's -> snapped ones, half to even.

    The window's are rounded once, by a fused multiply-add; float64 holds what that rounds.
    """
    half = SIDE / 2
    column = np.float32(np.float64(x) * half + half)
    row = np.float32(np.float64(y) * -half + (WINDOW_H - half))
    return (
        int(np.rint((column - _HALF) * _PER_PIXEL)),
        int(np.rint((row - _HALF) * _PER_PIXEL)) - _ROWS_ABOVE * UNIT,
    )


@njit(**_OPTIONS)
def _limit(left, right, y, x1, y1, x2, y2):
    """Narrow a row's columns, left..right, to the inner side of an edge; y is the row's centre.

    The inside is on the right of the way from 1 to 2, as seen in the image. A pixel whose centre
    is on an edge belongs to it if that is a left one, or the lower of two level ones.
    """
    if y1 == y2:
        return (left, left - 1) if x2 > x1 and y <= y1 else (left, right)
    # The first column from the edge on. Of integers this small the ratio in float64 is never
    # rounded to a whole number that it is not.
    dy = y2 - y1
    column = math.ceil((x1 * dy + (y - y1) * (x2 - x1)) / (UNIT * dy))
    return (left, min(right, column - 1)) if dy > 0 else (max(left, column), right)


@njit(**_OPTIONS)
def _fill_triangle(pixels, ink, ax, ay, bx, by, cx, cy):
    """Fill the pixels whose centres a snapped triangle covers."""
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area == 0:
        return
    if area < 0:
        bx, by, cx, cy = cx, cy, bx, by
    first = max(math.ceil(min(ay, by, cy) / UNIT), 0)
    last = min(max(ay, by, cy) // UNIT, len(pixels) - 1)
    for row in range(first, last + 1):
        y, line = row * UNIT, pixels[row]
        left, right = _limit(0, SIDE - 1, y, ax, ay, bx, by)
        left, right = _limit(left, right, y, bx, by, cx, cy)
        left, right = _limit(left, right, y, cx, cy, ax, ay)
        if left <= right:
            # Unsigned, an index needs no look at its sign: the loop fills many pixels at once.
            for column in range(np.uint64(left), np.uint64(right + 1)):
                line[column] = ink


@njit(**_OPTIONS)
def _outside(x, y):
    """Which planes of the view a point is beyond: x > 1 is 1, x < -1 is 2, y > 1 is 4, y < -1 8."""
    beyond = 1 if x > _ONE else 2 if x < -_ONE else 0
    return beyond | (4 if y > _ONE else 8 if y < -_ONE else 0)


@njit(**_OPTIONS)
def _clip_to_plane(source, n, plane, target):
    """The part of a polygon of n corners that is inside a plane; returns its number of corners.

    Where an edge crosses the plane, the new corner is measured from the end nearer to the plane.
    """
    axis, side = plane // 2, _ONE if plane % 2 == 0 else -_ONE
    count = 0
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        depth, next_depth = _ONE - side * source[i, axis], _ONE - side * source[j, axis]
        if depth >= 0:
            target[count, 0], target[count, 1] = source[i, 0], source[i, 1]
            count += 1
        if (depth < 0) != (next_depth < 0):
            near, far, part = i, j, depth / (depth - next_depth)
            if abs(next_depth) < abs(depth):
                near, far, part = j, i, next_depth / (next_depth - depth)
            for k in range(2):
                target[count, k] = source[near, k] + part * (source[far, k] - source[near, k])
            count += 1
    return count


@njit(**_OPTIONS)
def _draw_triangle(canvas, ink, beyond):
    """Draw the triangle in canvas.clipped[0] which leaves the view through the planes `beyond`."""
    source, target, n = canvas.clipped[0], canvas.clipped[1], 3
    for plane in range(4):
        if beyond >> plane & 1:
            n = _clip_to_plane(source, n, plane, target)
            source, target = target, source
    if n < 3:
        return
    ax, ay = _snap(source[0, 0], source[0, 1])
    bx, by = _snap(source[1, 0], source[1, 1])
    for corner in range(2, n):
        cx, cy = _snap(source[corner, 0], source[corner, 1])
        _fill_triangle(canvas.pixels, ink, ax, ay, bx, by, cx, cy)
        bx, by = cx, cy


@njit(**_OPTIONS)
def _draw_polygon(canvas, polygon):
    """Draw one of the canvas's polygons: triangles that share the last corner."""
    corners, last, ink = canvas.corners[polygon], canvas.sizes[polygon] - 1, canvas.inks[polygon]
    beyond_last = _outside(corners[last, 0], corners[last, 1])
    beyond = _outside(corners[0, 0], corners[0, 1])
    for i in range(1, last):
        beyond_before, beyond = beyond, _outside(corners[i, 0], corners[i, 1])
        if beyond_last & beyond_before & beyond == 0:  # else no part of it is in view
            for axis in range(2):
                canvas.clipped[0, 0, axis] = corners[i - 1, axis]
                canvas.clipped[0, 1, axis] = corners[i, axis]
                canvas.clipped[0, 2, axis] = corners[last, axis]
            _draw_triangle(canvas, ink, beyond_last | beyond_before | beyond)


@njit(**_OPTIONS)
def _project(corner, matrix, x, y):
    """Put a float32 point's clip coordinates in a corner."""
    corner[0] = (x * matrix[0] + y * matrix[1]) + matrix[2]
    corner[1] = (x * matrix[3] + y * matrix[4]) + matrix[5]


@njit(**_OPTIONS)
def camera(motion):
    """How the window sees the world: zoom (pixels a metre), turn, and shift in x and y (pixels).

    The car is at a quarter of the height. The view turns with its velocity, or with the hull while
    that is slower than 0.5 m/s. It zooms in over the first second.
    """
    x, y = motion.bodies[4, 2], motion.bodies[4, 3]
    velocity_x, velocity_y = motion.bodies[4, 4], motion.bodies[4, 5]
    zoom = 0.1 * SCALE * max(1 - motion.t, 0.0) + ZOOM * SCALE * min(motion.t, 1.0)
    turn = -motion.angle
    if math.sqrt(velocity_x * velocity_x + velocity_y * velocity_y) > 0.5:
        turn = math.atan2(velocity_x, velocity_y)
    c, s = math.cos(turn), math.sin(turn)
    shift_x = WINDOW_W / 2 - (x * zoom * c - y * zoom * s)
    shift_y = WINDOW_H / 4 - (x * zoom * s + y * zoom * c)
    return zoom, turn, shift_x, shift_y


@njit(**_OPTIONS)
def _matrix(motion):
    """From metres to clip coordinates, as OpenGL multiplies it up: two rows of three, float32."""
    zoom, turn, shift_x, shift_y = camera(motion)
    # glRotatef takes degrees; of a float32, sine and cosine are the C library's sinf and cosf.
    turn = np.float32(np.float32(_DEGREES * turn) * math.pi / 180)
    c, s, zoom = math.cos(turn), math.sin(turn), np.float32(zoom)
    return (
        _PROJECT_X * (c * zoom),
        _PROJECT_X * (-s * zoom),
        _PROJECT_X * np.float32(shift_x) - _ONE,
        _PROJECT_Y * (s * zoom),
        _PROJECT_Y * (c * zoom),
        _PROJECT_Y * np.float32(shift_y) - _ONE,
    )


@njit(**_OPTIONS)
def _ink(colour):
    """Three channels, 0..255, as one number; half to even, as the driver rounds."""
    red, green, blue = np.rint(colour[0]), np.rint(colour[1]), np.rint(colour[2])
    return int(red) | int(green) << 8 | int(blue) << 16


@njit(**_OPTIONS)
def _place_ground(canvas, matrix, ground):
    """Field, grass and road, but quads whose circle misses the view; returns how many there are."""
    scale_x = math.hypot(matrix[0], matrix[1])
    scale_y = math.hypot(matrix[3], matrix[4])
    count = 0
    for q in range(len(ground.quads)):
        x, y, radius = ground.circles[q, 0], ground.circles[q, 1], ground.circles[q, 2]
        if abs((x * matrix[0] + y * matrix[1]) + matrix[2]) > _ONE + radius * scale_x:
            continue
        if abs((x * matrix[3] + y * matrix[4]) + matrix[5]) > _ONE + radius * scale_y:
            continue
        for i in range(4):
            corner = canvas.corners[count, i]
            _project(corner, matrix, ground.quads[q, i, 0], ground.quads[q, i, 1])
        canvas.sizes[count], canvas.inks[count] = 4, _ink(ground.colours[q])
        count += 1
    return count


@njit(**_OPTIONS)
def _project_from_body(corner, matrix, body, x, y):
    """The same as _project for a point of a body, by Box2D's own transform in float32."""
    c, s = np.float32(body[0]), np.float32(body[1])
    x, y = np.float32(x), np.float32(y)
    world_x, world_y = (c * x - s * y) + np.float32(body[2]), (s * x + c * y) + np.float32(body[3])
    _project(corner, matrix, world_x, world_y)


@njit(**_OPTIONS)
def _place_mark(corners, matrix, body):
    """The bright part of a wheel's tread, 1.2 radians of it; False if it is all on the underside.

    What is not on the upper side is drawn to the tread's end.
    """
    front, rear = body[4], body[4] + 1.2
    front_hidden, rear_hidden = math.sin(front) > 0, math.sin(rear) > 0
    if front_hidden and rear_hidden:
        return False
    front, rear = math.cos(front), math.cos(rear)
    front = np.sign(front) if front_hidden else front
    rear = np.sign(rear) if rear_hidden else rear
    for i in range(4):
        x = -WHEEL_W if i in (0, 3) else WHEEL_W
        y = WHEEL_R * (front if i < 2 else rear)
        _project_from_body(corners[i], matrix, body, x * SIZE, y * SIZE)
    return True


@njit(**_OPTIONS)
def _place_car(canvas, count, matrix, shapes, motion):
    """Wheels, a mark after each, then the hull."""
    for p in range(len(shapes.sizes)):
        owner, n = shapes.owners[p], shapes.sizes[p]
        body = motion.bodies[owner]
        for i in range(n):
            x, y = shapes.vertices[p, i, 0], shapes.vertices[p, i, 1]
            _project_from_body(canvas.corners[count, i], matrix, body, x, y)
        canvas.sizes[count], canvas.inks[count] = n, shapes.inks[p]
        count += 1
        if owner < 4 and _place_mark(canvas.corners[count], matrix, body):
            canvas.sizes[count], canvas.inks[count] = 4, _MARK
            count += 1
    return count


@njit(**_OPTIONS)
def _place_rectangle(canvas, count, ink, left, bottom, right, top):
    """A rectangle given in the window's pixels, y upwards."""
    for i in range(4):
        x = np.float32(left if i in (0, 3) else right)
        y = np.float32(top if i < 2 else bottom)
        canvas.corners[count, i, 0] = x * _PROJECT_X - _ONE
        canvas.corners[count, i, 1] = y * _PROJECT_Y - _ONE
    canvas.sizes[count], canvas.inks[count] = 4, ink
    return count + 1


@njit(**_OPTIONS)
def _place_indicators(canvas, count, motion):
    """The bar and its gauges: speed, four wheel speeds, steering angle, turning speed.

    A gauge may reach out of the bar. The score, whose shape depended on fonts, is left out.
    """
    s, h = WINDOW_W / 40, WINDOW_H / 40
    count = _place_rectangle(canvas, count, _BLACK, 0.0, 0.0, WINDOW_W, 5 * h)
    velocity_x, velocity_y = motion.bodies[4, 4], motion.bodies[4, 5]
    speed = math.sqrt(velocity_x * velocity_x + velocity_y * velocity_y)
    for i in range(5):
        place, height = (5, 0.02 * speed) if i == 0 else (6 + i, 0.01 * motion.bodies[i - 1, 5])
        ink = _WHITE if i == 0 else _FRONT_WHEEL if i < 3 else _REAR_WHEEL
        count = _place_rectangle(canvas, count, ink, place * s, h, (place + 1) * s, h + h * height)
    for i in range(2):
        place, length = (20, -10.0 * motion.steering) if i == 0 else (30, -0.8 * motion.turning)
        ink, end = _GREEN if i == 0 else _RED, (place + length) * s
        count = _place_rectangle(canvas, count, ink, place * s, 2 * h, end, 4 * h)
    return count


@njit(**_OPTIONS)
def _pack(pixels, state):
    """The low three bytes of each ink into state, four inks to three words (little endian)."""
    for row in range(len(pixels)):
        line, words = pixels[row], state[row]
        for i in range(np.uint64(SIDE // 4)):
            a, b, c, d = line[4 * i], line[4 * i + 1], line[4 * i + 2], line[4 * i + 3]
            words[3 * i] = a | b << 24
            words[3 * i + 1] = b >> 8 | c << 16
            words[3 * i + 2] = c >> 16 | d << 8


@compiled(nogil=True, **_OPTIONS)
def draw(canvas, ground, shapes, motion, state):
    """A frame into state: uint8 (rows, 96, 3), seen as uint32 (rows, 72).

    ground, shapes and motion are scene_v0.py's.
    """
    matrix = _matrix(motion)
    count = _place_ground(canvas, matrix, ground)
    count = _place_car(canvas, count, matrix, shapes, motion)
    count = _place_indicators(canvas, count, motion)
    canvas.pixels[:] = _BLACK
    for polygon in range(count):
        _draw_polygon(canvas, polygon)
    _pack(canvas.pixels, state)
