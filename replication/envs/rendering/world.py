"""A frame of CarRacing: world, car and indicators into a canvas, and from there to the state.

Rotations are those of the original: pygame.Vector2.rotate_rad in float64, Box2D's b2Mul in
float32, no fused multiply-add.
"""

import math
from typing import NamedTuple

from replication.compiled import compiled
from replication.envs.rendering.downscale import (
    CHANNEL,
    GREEN,
    HEIGHT,
    RED,
    WIDTH,
    Y_START,
    downscale,
)
from replication.envs.rendering.raster import draw_bar, draw_polygon, gfx_quad
from replication.envs.rendering.surface import blend, clear

import numpy as np
from numba import njit

BAR = 100  # rows at the bottom that the indicator bar covers: the world is not seen there
ROWS_WITHOUT_BAR = 84  # of the state: more show some of the bar
TALL = 190.0  # a speed whose gauge may leave the bar at its top: 0.02 * 195 is 3.9 rows of 20
GROUP = 8  # quads that are passed over together
# Pixels outside the screen at which stock still draws a polygon's corner: its MAX_SHAPE_DIM.
REACH = (2000 / 6.0 / 20.0) * math.sqrt(2) * 2.7 * 6.0
FAR = 1500  # metres from the centre
WHITE = CHANNEL << RED | CHANNEL << GREEN | CHANNEL


class Quads(NamedTuple):
    """N polygons of four corners in the order of drawing, and circles around GROUPs of them."""

    corners: np.ndarray  # float64 (N, 4, 2): metres
    circles: np.ndarray  # float64 (ceil(N / GROUP), 3): centre and radius


class Car(NamedTuple):
    """The polygons of a car in the order of drawing: S shapes of its bodies."""

    vertices: np.ndarray  # float32 (S, 8, 2): metres from the body's centre
    lengths: np.ndarray  # int64 (S,): vertices of each
    bodies: np.ndarray  # int64 (S,): the body that each belongs to
    inks: np.ndarray  # int64 (S,): 0xRRGGBB
    marks: np.ndarray  # bool (S,): the white mark of a wheel, whose vertices follow from its phase


class Frame(NamedTuple):
    """What else a frame shows."""

    camera: tuple[float, float, float, float, float]  # cosine, sine, zoom, translation x and y
    field: int  # 0xRRGGBB
    grass: int  # 0xRRGGBB
    beyond: bool  # is more than the field in sight?
    bodies: np.ndarray  # float32 (B, 4): x, y, sine, cosine
    phases: np.ndarray  # float64 (B,): of a body that is a wheel
    bar: bool  # are the indicators in sight?
    gauges: np.ndarray  # float64 (7,): speed, four wheel speeds, steering angle, turning speed
    text: np.ndarray  # int32 (height, width): the score, 0xRRGGBB
    text_x: int
    text_y: int


@njit(forceinline=True, _nrt=False)
def _near(camera, y_seen, circle):
    """May any of a group be in sight?"""
    c, s, zoom, tx, ty = camera
    x, y, reach = circle[0], circle[1], circle[2] * zoom + 4
    px, py = (c * x - s * y) * zoom + tx, (s * x + c * y) * zoom + ty
    return -reach < px < WIDTH + reach and y_seen - reach < py < HEIGHT + reach


@njit(_nrt=False)
def _draw_quad(canvas, camera, y_seen, corners, ink):
    """A quad of the world, if stock draws it and it is in sight."""
    c, s, zoom, tx, ty = camera
    left, right, top, bottom, drawn = 1e9, -1e9, 1e9, -1e9, False
    for i in range(4):
        x, y = corners[i, 0], corners[i, 1]
        px, py = (c * x - s * y) * zoom + tx, (s * x + c * y) * zoom + ty
        canvas.points[i, 0], canvas.points[i, 1] = int(px), int(py)
        left, right, top, bottom = min(left, px), max(right, px), min(top, py), max(bottom, py)
        drawn |= -REACH <= px <= WIDTH + REACH and -REACH <= py <= HEIGHT + REACH
    if drawn and right > -2 and left < WIDTH + 1 and bottom > y_seen - 2 and top < HEIGHT + 1:
        gfx_quad(canvas, y_seen, ink)


@njit(error_model="numpy", _nrt=False)
def _draw_ground(canvas, y_seen, field, grass, frame):
    """The field, and the grass on it."""
    if frame.beyond:
        clear(canvas.cells, 0)
        c, s, zoom, tx, ty = frame.camera
        for i in range(4):
            x, y = field[i, 0], field[i, 1]
            canvas.points[i, 0] = int((c * x - s * y) * zoom + tx)
            canvas.points[i, 1] = int((s * x + c * y) * zoom + ty)
        gfx_quad(canvas, y_seen, frame.field)
    else:
        clear(canvas.cells, frame.field)
    for group in range(len(grass.circles)):
        if _near(frame.camera, y_seen, grass.circles[group]):
            for q in range(GROUP * group, min(GROUP * (group + 1), len(grass.corners))):
                _draw_quad(canvas, frame.camera, y_seen, grass.corners[q], frame.grass)


@njit(error_model="numpy", _nrt=False)
def _draw_road(canvas, y_seen, road, tints, camera):
    """The road and its borders; False where a tint is no colour."""
    for group in range(len(road.circles)):
        if _near(camera, y_seen, road.circles[group]):
            for q in range(GROUP * group, min(GROUP * (group + 1), len(road.corners))):
                red, green, blue = tints[q, 0], tints[q, 1], tints[q, 2]
                if not (min(red, green, blue) > -1 and max(red, green, blue) < 256):
                    return False
                ink = int(red) << RED | int(green) << GREEN | int(blue)
                _draw_quad(canvas, camera, y_seen, road.corners[q], ink)
    return True


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
def _place(canvas, camera, vertices, n, body):
    """b2Mul in float32, then the camera in float64, cut towards zero: into canvas.points."""
    x0, y0, s, c = body[0], body[1], body[2], body[3]
    for i in range(n):
        vx, vy = vertices[i, 0], vertices[i, 1]
        x, y = np.float64((c * vx - s * vy) + x0), np.float64((s * vx + c * vy) + y0)
        canvas.points[i, 0] = np.int64((camera[0] * x - camera[1] * y) * camera[2] + camera[3])
        canvas.points[i, 1] = np.int64((camera[1] * x + camera[0] * y) * camera[2] + camera[4])


@njit(error_model="numpy", _nrt=False)
def _draw_car(canvas, y_seen, car, frame):
    """The bodies' shapes; False where a body is nowhere near."""
    for i in range(len(car.lengths)):
        body = car.bodies[i]
        if car.marks[i] and not _wheel_mark(car.vertices[i], frame.phases[body]):
            continue
        x, y = frame.bodies[body, 0], frame.bodies[body, 1]
        if not (abs(x) < FAR and abs(y) < FAR):
            return False
        _place(canvas, frame.camera, car.vertices[i], car.lengths[i], frame.bodies[body])
        draw_polygon(canvas, y_seen, car.lengths[i], car.inks[i])
    return True


@njit(error_model="numpy", _nrt=False)
def _draw_indicators(canvas, y_seen, frame):
    """The black bar at the bottom, its seven gauges, the score."""
    draw_bar(canvas, y_seen, (WIDTH, HEIGHT), (0, HEIGHT - BAR), 0)
    for i in range(5):
        if abs(frame.gauges[i]) > 1e-4:
            place, height = (5, 0.02) if i == 0 else (6 + i, 0.01)
            ink = WHITE if i == 0 else CHANNEL if i < 3 else 51 << RED | CHANNEL
            high = HEIGHT - (20.0 + 20.0 * (height * frame.gauges[i]))
            draw_bar(canvas, y_seen, (place * 25, high), (place * 25 + 25, HEIGHT - 20), ink)
    for i in range(5, 7):
        if abs(frame.gauges[i]) > 1e-4:
            place, length = (20, -10.0) if i == 5 else (30, -0.8)
            ink = CHANNEL << (GREEN if i == 5 else RED)
            end = (place + length * frame.gauges[i]) * 25.0
            draw_bar(canvas, y_seen, (place * 25, HEIGHT - 80), (end, HEIGHT - 40), ink)
    for row in range(frame.text.shape[0]):
        y = HEIGHT - 1 - (frame.text_y + row)
        for column in range(frame.text.shape[1]):
            x = frame.text_x + column
            if 0 <= x < WIDTH and y_seen <= y:
                blend(canvas.cells, x, y, frame.text[row, column], 256)


@compiled(nogil=True, error_model="numpy", _nrt=False)
def draw(canvas, ground, road, tints, car, frame, out):
    """Draw a frame; its first rows, as a state, into out uint8 (rows, 96, 3).

    ground: the field float64 (4, 2) and the grass, Quads; tints float64 (N, 3): of the road's
    Quads, 0..255. Returns False, with nothing in `out`, where a tint that is in sight is no colour
    or a body of the car is too far away for the kernels.
    """
    y_seen = HEIGHT - 1 - Y_START[len(out)]  # smallest drawn y that the state shows
    y_world = max(y_seen, BAR)
    _draw_ground(canvas, y_world, ground[0], ground[1], frame)
    if not _draw_road(canvas, y_world, road, tints, frame.camera):
        return False
    if not _draw_car(canvas, y_world, car, frame):
        return False
    if frame.bar:
        _draw_indicators(canvas, y_seen, frame)
    downscale(canvas, out)
    return True
