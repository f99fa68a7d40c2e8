"""CarRacing-v0's picture as OpenGL drew it: one sample a pixel, no antialiasing.

gym 0.9 drew its states in a window of 1200 x 1000, seen through a viewport of 96 x 96. The kernels
repeat, rounding for rounding, what Mesa's software driver (llvmpipe) makes of that: the matrix in
float32, triangles clipped to the view, corners snapped to 1/256 pixel, cover decided in integers.

Clip coordinates x and y are float32 and go from -1 to 1 over the view, y upwards. Snapped ones are
integers; pixel (row, column) has its centre at y = 256 * row, x = 256 * column.
"""

import math
from typing import NamedTuple

from replication.envs.rendering.compile import compiled

import numpy as np
from gymnasium.envs.box2d.car_dynamics import SIZE, WHEEL_R, WHEEL_W
from gymnasium.envs.box2d.car_racing import SCALE, ZOOM

WINDOW_W, WINDOW_H = 1200, 1000  # gym 0.9's window
SIDE = 96  # of the viewport
BAR = 84  # first row of the indicator bar, which covers everything down to the last row
UNIT = 256  # snapped units a pixel
_ROWS_ABOVE = WINDOW_H - SIDE  # of the window's surface: the viewport is at its bottom
_ONE = np.float32(1)
_HALF = np.float32(0.5)
_HALF_SIDE = np.float32(SIDE / 2)
_BOTTOM = np.float32(WINDOW_H - SIDE / 2)
_PER_PIXEL = np.float32(UNIT)
_PROJECT_X, _PROJECT_Y = np.float32(2 / WINDOW_W), np.float32(2 / WINDOW_H)
_DEGREES = 57.29577951308232  # gym's RAD2DEG
# Inks are 0xBBGGRR, so that their bytes stand in memory as red, green, blue.
_BLACK, _WHITE, _RED, _GREEN = 0, 0xFFFFFF, 0x0000FF, 0x00FF00
_FRONT_WHEEL, _REAR_WHEEL = 0xFF0000, 0xFF0033
_MARK = 0x4C4C4C  # 76: 0.3 * 255 is a tie, and Mesa rounds to even


class Canvas(NamedTuple):
    """What one frame is drawn with; nothing in it outlives the frame."""

    pixels: np.ndarray  # uint32 (rows, 96), inks
    corners: np.ndarray  # float32 (8, 2), a polygon in clip coordinates
    clipped: np.ndarray  # float32 (2, 8, 2), a triangle while it is clipped


class Ground(NamedTuple):
    """Field, grass and road: quads in drawing order."""

    quads: np.ndarray  # float32 (N, 4, 2), metres
    circles: np.ndarray  # float32 (N, 3), centre and radius around each quad, metres
    colours: np.ndarray  # float64 (N, 3), 0..255


class Shapes(NamedTuple):
    """The car: convex polygons in drawing order, in the frame of the body that owns them."""

    vertices: np.ndarray  # float32 (P, 8, 2), metres
    sizes: np.ndarray  # int64 (P,), corners of each polygon
    owners: np.ndarray  # int64 (P,), 0..3: wheels, 4: hull
    inks: np.ndarray  # int64 (P,)


class Motion(NamedTuple):
    """What changes from frame to frame; seconds, metres, radians."""

    # float64 (5, 6): four wheels with cosine, sine, x, y, how far each has rolled, speed of
    # rolling; the hull with cosine, sine, x, y, velocity in x and y.
    bodies: np.ndarray
    t: float
    angle: float  # of the hull
    turning: float  # speed of that
    steering: float  # angle of a front wheel to the hull


def new_canvas(rows: int) -> Canvas:
    """A canvas of the first `rows` rows."""
    return Canvas(
        np.empty((rows, SIDE), np.uint32),
        np.empty((8, 2), np.float32),
        np.empty((2, 8, 2), np.float32),
    )


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _snap(x, y):
    """Clip coordinates -> the window's -> snapped ones, half to even."""
    column, row = x * _HALF_SIDE + _HALF_SIDE, y * -_HALF_SIDE + _BOTTOM
    return (
        int(np.rint((column - _HALF) * _PER_PIXEL)),
        int(np.rint((row - _HALF) * _PER_PIXEL)) - _ROWS_ABOVE * UNIT,
    )


@compiled(nogil=True, error_model="numpy", _nrt=False)
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


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _fill_triangle(pixels, last_row, ink, ax, ay, bx, by, cx, cy):
    """Fill the pixels whose centres a snapped triangle covers, down to last_row."""
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area == 0:
        return
    if area < 0:
        bx, by, cx, cy = cx, cy, bx, by
    first = max(-(-min(ay, by, cy) // UNIT), 0)
    for row in range(first, min(max(ay, by, cy) // UNIT, last_row) + 1):
        y = row * UNIT
        left, right = _limit(0, SIDE - 1, y, ax, ay, bx, by)
        left, right = _limit(left, right, y, bx, by, cx, cy)
        left, right = _limit(left, right, y, cx, cy, ax, ay)
        if left <= right:
            line = pixels[row]
            # Unsigned, an index needs no look at its sign: the loop fills many pixels at once.
            for column in range(np.uint64(left), np.uint64(right + 1)):
                line[column] = ink


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _outside(x, y):
    """Which planes of the view a point is beyond: x > 1 is 1, x < -1 is 2, y > 1 is 4, y < -1 8."""
    beyond = 1 if x > _ONE else 2 if x < -_ONE else 0
    return beyond | (4 if y > _ONE else 8 if y < -_ONE else 0)


@compiled(nogil=True, error_model="numpy", _nrt=False)
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


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _draw_clipped(canvas, last_row, ink, beyond, first, second, third):
    """Draw the triangle of three of the canvas's corners that leaves the view through `beyond`."""
    source, target, n = canvas.clipped[0], canvas.clipped[1], 3
    for i, corner in enumerate((first, second, third)):
        source[i, 0], source[i, 1] = canvas.corners[corner, 0], canvas.corners[corner, 1]
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
        _fill_triangle(canvas.pixels, last_row, ink, ax, ay, bx, by, cx, cy)
        bx, by = cx, cy


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _draw_polygon(canvas, last_row, ink, n):
    """Draw the first n of the canvas's corners: triangles that share the last one."""
    corners, last = canvas.corners, n - 1
    last_beyond = _outside(corners[last, 0], corners[last, 1])
    before = _outside(corners[0, 0], corners[0, 1])
    ax, ay = _snap(corners[last, 0], corners[last, 1])
    bx, by = _snap(corners[0, 0], corners[0, 1])
    for i in range(1, last):
        beyond = _outside(corners[i, 0], corners[i, 1])
        cx, cy = _snap(corners[i, 0], corners[i, 1])
        if last_beyond | before | beyond == 0:
            _fill_triangle(canvas.pixels, last_row, ink, ax, ay, bx, by, cx, cy)
        elif last_beyond & before & beyond == 0:
            planes = last_beyond | before | beyond
            _draw_clipped(canvas, last_row, ink, planes, i - 1, i, last)
        before, bx, by = beyond, cx, cy


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _project(canvas, matrix, i, x, y):
    """Put a float32 point's clip coordinates in the canvas's corner i."""
    canvas.corners[i, 0] = (x * matrix[0] + y * matrix[1]) + matrix[2]
    canvas.corners[i, 1] = (x * matrix[3] + y * matrix[4]) + matrix[5]


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _camera(motion):
    """The matrix from metres to clip coordinates: two rows of three, float32.

    The car is seen from above, at a quarter of the window's height; the view turns with its
    velocity, or with the hull while that is slower than 0.5 m/s.
    """
    x, y = motion.bodies[4, 2], motion.bodies[4, 3]
    velocity_x, velocity_y = motion.bodies[4, 4], motion.bodies[4, 5]
    zoom = 0.1 * SCALE * max(1 - motion.t, 0.0) + ZOOM * SCALE * min(motion.t, 1.0)
    turn = -motion.angle
    if math.sqrt(velocity_x * velocity_x + velocity_y * velocity_y) > 0.5:
        turn = math.atan2(velocity_x, velocity_y)
    c, s = math.cos(turn), math.sin(turn)
    shift_x = np.float32(WINDOW_W / 2 - (x * zoom * c - y * zoom * s))
    shift_y = np.float32(WINDOW_H / 4 - (x * zoom * s + y * zoom * c))
    # glRotatef takes degrees. The sine of a float32 is rounded correctly by way of float64.
    turn = np.float64(np.float32(np.float32(_DEGREES * turn) * math.pi / 180))
    c, s, zoom = np.float32(math.cos(turn)), np.float32(math.sin(turn)), np.float32(zoom)
    return (
        _PROJECT_X * (c * zoom),
        _PROJECT_X * (-s * zoom),
        _PROJECT_X * shift_x - _ONE,
        _PROJECT_Y * (s * zoom),
        _PROJECT_Y * (c * zoom),
        _PROJECT_Y * shift_y - _ONE,
    )


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _ink(colour):
    """Three channels, 0..255, as one number; half to even, as the driver rounds."""
    red, green, blue = np.rint(colour[0]), np.rint(colour[1]), np.rint(colour[2])
    return int(red) | int(green) << 8 | int(blue) << 16


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _draw_ground(canvas, last_row, matrix, ground):
    """Field, grass and road; a quad whose circle misses the view is left out."""
    scale_x = math.hypot(matrix[0], matrix[1])
    scale_y = math.hypot(matrix[3], matrix[4])
    for q in range(len(ground.quads)):
        x, y, radius = ground.circles[q, 0], ground.circles[q, 1], ground.circles[q, 2]
        if abs((x * matrix[0] + y * matrix[1]) + matrix[2]) > _ONE + radius * scale_x:
            continue
        if abs((x * matrix[3] + y * matrix[4]) + matrix[5]) > _ONE + radius * scale_y:
            continue
        for i in range(4):
            _project(canvas, matrix, i, ground.quads[q, i, 0], ground.quads[q, i, 1])
        _draw_polygon(canvas, last_row, _ink(ground.colours[q]), 4)


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _project_from_body(canvas, matrix, body, i, x, y):
    """The same as _project for a point of a body, by Box2D's own transform in float32."""
    c, s = np.float32(body[0]), np.float32(body[1])
    x, y = np.float32(x), np.float32(y)
    world_x, world_y = (c * x - s * y) + np.float32(body[2]), (s * x + c * y) + np.float32(body[3])
    _project(canvas, matrix, i, world_x, world_y)


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _draw_mark(canvas, last_row, matrix, body, rolled):
    """The bright part of a wheel's tread, 1.2 radians of it, as far as it is on the upper side."""
    front, rear = math.cos(rolled), math.cos(rolled + 1.2)
    front_hidden, rear_hidden = math.sin(rolled) > 0, math.sin(rolled + 1.2) > 0
    if front_hidden and rear_hidden:
        return
    front = np.sign(front) if front_hidden else front
    rear = np.sign(rear) if rear_hidden else rear
    for i in range(4):
        x = -WHEEL_W if i in (0, 3) else WHEEL_W
        y = WHEEL_R * (front if i < 2 else rear)
        _project_from_body(canvas, matrix, body, i, x * SIZE, y * SIZE)
    _draw_polygon(canvas, last_row, _MARK, 4)


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _draw_car(canvas, last_row, matrix, shapes, motion):
    """Wheels, a mark after each, then the hull."""
    for p in range(len(shapes.sizes)):
        owner, n = shapes.owners[p], shapes.sizes[p]
        body = motion.bodies[owner]
        for i in range(n):
            x, y = shapes.vertices[p, i, 0], shapes.vertices[p, i, 1]
            _project_from_body(canvas, matrix, body, i, x, y)
        _draw_polygon(canvas, last_row, shapes.inks[p], n)
        if owner < 4:
            _draw_mark(canvas, last_row, matrix, body, body[4])


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _draw_rectangle(canvas, last_row, ink, left, bottom, right, top):
    """A rectangle given in the window's pixels, y upwards."""
    for i in range(4):
        x = np.float32(left if i in (0, 3) else right)
        y = np.float32(top if i < 2 else bottom)
        canvas.corners[i, 0] = x * _PROJECT_X - _ONE
        canvas.corners[i, 1] = y * _PROJECT_Y - _ONE
    _draw_polygon(canvas, last_row, ink, 4)


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _draw_indicators(canvas, last_row, motion):
    """The bar and its gauges: speed, four wheel speeds, steering angle, turning speed.

    A gauge may reach out of the bar. The score is left out: its shape depended on the fonts of the
    machine.
    """
    s, h = WINDOW_W / 40, WINDOW_H / 40
    _draw_rectangle(canvas, last_row, _BLACK, 0, 0, WINDOW_W, 5 * h)
    velocity_x, velocity_y = motion.bodies[4, 4], motion.bodies[4, 5]
    speed = math.sqrt(velocity_x * velocity_x + velocity_y * velocity_y)
    _draw_rectangle(canvas, last_row, _WHITE, 5 * s, h, 6 * s, h + h * (0.02 * speed))
    for i in range(4):
        ink = _FRONT_WHEEL if i < 2 else _REAR_WHEEL
        top = h + h * (0.01 * motion.bodies[i, 5])
        _draw_rectangle(canvas, last_row, ink, (7 + i) * s, h, (8 + i) * s, top)
    end = (20 + -10.0 * motion.steering) * s
    _draw_rectangle(canvas, last_row, _GREEN, 20 * s, 2 * h, end, 4 * h)
    end = (30 + -0.8 * motion.turning) * s
    _draw_rectangle(canvas, last_row, _RED, 30 * s, 2 * h, end, 4 * h)


@compiled(nogil=True, error_model="numpy", _nrt=False)
def _pack(pixels, state):
    """The low three bytes of each ink into state, four inks to three words (little endian)."""
    for row in range(len(pixels)):
        line, words = pixels[row], state[row]
        for i in range(np.uint64(SIDE // 4)):
            a, b, c, d = line[4 * i], line[4 * i + 1], line[4 * i + 2], line[4 * i + 3]
            words[3 * i] = a | b << 24
            words[3 * i + 1] = b >> 8 | c << 16
            words[3 * i + 2] = c >> 16 | d << 8


@compiled(nogil=True, error_model="numpy", _nrt=False)
def draw(canvas, ground, shapes, motion, state):
    """A frame into state: uint8 (rows, 96, 3), seen as uint32 (rows, 72)."""
    rows = len(canvas.pixels)
    matrix = _camera(motion)
    canvas.pixels[:] = _BLACK
    world_end = min(rows, BAR) - 1
    _draw_ground(canvas, world_end, matrix, ground)
    _draw_car(canvas, world_end, matrix, shapes, motion)
    _draw_indicators(canvas, rows - 1, motion)
    _pack(canvas.pixels, state)
