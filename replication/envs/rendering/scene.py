"""What a CarRacing environment shows, handed to the kernels as arrays.

Whatever an array was copied from may change: each frame reads it anew, or looks whether it is
still the same. `Scene.render` returns None where the kernels cannot draw what there is to see.
"""

import ctypes
import math
import threading
from collections.abc import Sequence
from functools import lru_cache

from replication.envs.rendering import downscale, surface, world

import numpy as np
import pygame
from Box2D import b2PolygonShape
from gymnasium.envs.box2d import car_dynamics
from gymnasium.envs.box2d import car_racing as stock

_NO_TEXT = (np.empty((0, 0), np.int32), 0, 0)
# Metres from the centre, the car's and the track's added up, within which every coordinate stays
# in gfxdraw's 16 bits: 1390 * sqrt(2) * (zoom 16.2) + 500 < 32768.
_FARTHEST = 1390


def _ink(colour: Sequence[float]) -> int | None:
    """A colour as 0xRRGGBB, fractions cut off as pygame does; None where stock has to see to it."""
    try:
        red, green, blue = colour
        red, green, blue = int(red), int(green), int(blue)
    except (TypeError, ValueError, OverflowError):
        return None
    if (red | green | blue) & ~downscale.CHANNEL:  # below 0 or above 255
        return None
    return red << downscale.RED | green << downscale.GREEN | blue


def _quads(corners: np.ndarray) -> world.Quads:
    """corners float64 (N, 4, 2), with their circles."""
    groups = -(-len(corners) // world.GROUP)
    padded = np.pad(corners, ((0, groups * world.GROUP - len(corners)), (0, 0), (0, 0)), "edge")
    points = padded.reshape(groups, -1, 2)
    centre = (points.min(1) + points.max(1)) / 2  # (groups, 2)
    radius = np.linalg.norm(points - centre[:, None], axis=2).max(1)
    return world.Quads(corners, np.column_stack([centre, radius]))


def _ground() -> tuple[np.ndarray, world.Quads]:
    """The field and the grass, as in CarRacing._render_road; grass that is near, side by side."""
    field = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)]) * (2000 / 6.0)
    side = 2000 / 6.0 / 20.0
    places = [
        (x, y + dy) for y in range(-20, 20, 8) for x in range(-20, 20, 2) for dy in range(0, 8, 2)
    ]
    grass = [
        [
            (side * x + side, side * y + 0),
            (side * x + 0, side * y + 0),
            (side * x + 0, side * y + side),
            (side * x + side, side * y + side),
        ]
        for x, y in places
    ]
    return field, _quads(np.array(grass))


_GROUND = _ground()


@lru_cache(maxsize=4096)
def _text(text: str) -> tuple[np.ndarray, int, int]:
    """The score as stock draws it: 0xRRGGBB (height, width), left and top."""
    pygame.font.init()
    font = pygame.font.Font(pygame.font.get_default_font(), 42)
    drawn = font.render(text, True, (255, 255, 255), (0, 0, 0))
    rect = drawn.get_rect()
    rect.center = (60, stock.WINDOW_H - stock.WINDOW_H * 2.5 / 40.0)
    opaque = pygame.Surface(rect.size, depth=32)
    opaque.blit(drawn, (0, 0))
    rgb = pygame.surfarray.array3d(opaque).astype(np.int32).transpose(1, 0, 2)  # (height, width, 3)
    packed = rgb @ np.array([1 << downscale.RED, 1 << downscale.GREEN, 1], np.int32)
    return packed, rect.x, rect.y


class _Canvases(threading.local):
    """One canvas a thread for each number of rows: no frame needs another's.

    If each of 16 environments had its own, the processor's caches would hold none of them.
    """

    def __init__(self):
        self.of_rows = {}

    def __call__(self, rows: int) -> surface.Canvas:
        if rows not in self.of_rows:
            self.of_rows[rows] = surface.new_canvas(rows)
        return self.of_rows[rows]


_canvas = _Canvases()


class Scene:
    """The track and the car of one environment."""

    def __init__(self):
        self._car = None
        self._gauges = np.zeros(7)

    def take_over(self, polygons: list, tiles: list) -> bool:
        """Copy a new track that nobody has seen yet, so that it need not be looked at again.

        FrictionDetector writes into `tile.color`, which becomes a view into this scene's array.
        Returns False where that cannot be.
        """
        tile_of = {id(tile.color): tile for tile in tiles if tile.color.dtype == np.float64}
        fixed = [colour for _, colour in polygons if id(colour) not in tile_of]
        if not self.copy_track(polygons) or any(type(colour) is not tuple for colour in fixed):
            return False
        self._road = _quads(self._road.corners)
        for i, (quad, colour) in enumerate(polygons):
            if id(colour) in tile_of:  # else a border, whose colour stays
                tile_of[id(colour)].color = self._tints[i]
                polygons[i] = (quad, tile_of[id(colour)].color)
        return True

    def copy_track(self, polygons: list) -> bool:
        """Copy a track as it is now; False if not all are quads with colours of three numbers."""
        try:
            corners = np.array([quad for quad, _ in polygons], np.float64)
            tints = np.array([colour for _, colour in polygons], np.float64)
        except (TypeError, ValueError):
            return False
        n = len(polygons)
        if corners.shape != (n, 4, 2) or tints.shape != (n, 3):
            return False
        everywhere = np.full((-(-n // world.GROUP), 3), np.inf)
        everywhere[:, :2] = 0
        self._road, self._tints = world.Quads(corners, everywhere), tints
        self._extent = np.abs(corners).max()
        return True

    def render(self, env: stock.CarRacing, rows: int) -> np.ndarray | None:
        """The state, uint8 (rows, 96, 3), as `env._render("state_pixels")` gives it."""
        x, y = env.car.hull.position
        farthest = _FARTHEST - self._extent
        if not (env.t >= 0 and abs(x) < farthest and abs(y) < farthest):
            return None
        if not self._same_car(env) and not self._copy_car(env):
            return None
        frame = self._frame(env, rows)
        if frame is None:
            return None
        state = np.empty((rows, stock.STATE_W, 3), np.uint8)
        drawn = world.draw(
            _canvas(rows), _GROUND, self._road, self._tints, self._shapes, frame, state
        )
        return state if drawn else None

    def _same_car(self, env: stock.CarRacing) -> bool:
        """Does the car look as when it was copied? Its bodies' places do not matter.

        A fixture made or destroyed changes the world's number of proxies.
        """
        return (
            env.car is self._car
            and env.world.proxyCount == self._proxies
            and env.car.drawlist == self._drawlist
            and [tuple(obj.color) for obj in self._drawlist] == self._colours
            and ["phase" in obj.__dict__ for obj in self._drawlist] == self._wheels
            and [shape.vertices for shape in self._fixtures] == self._vertices
        )

    def _copy_car(self, env: stock.CarRacing) -> bool:
        """Copy how the car looks, a wheel's mark after each of its fixtures; False: cannot."""
        self._car = None
        shapes = []  # (vertices, body, ink, is it a mark?)
        self._drawlist, self._fixtures = list(env.car.drawlist), []
        for body, obj in enumerate(self._drawlist):
            ink = _ink([255 * c for c in obj.color])
            for shape in [fixture.shape for fixture in obj.fixtures]:
                # (pygame fills three corners in another way.)
                if ink is None or not isinstance(shape, b2PolygonShape) or shape.vertexCount < 4:
                    return False
                self._fixtures.append(shape)
                shapes.append((shape.vertices, body, ink, False))
                if "phase" in obj.__dict__:
                    shapes.append(([(0, 0)] * 4, body, _ink(car_dynamics.WHEEL_WHITE), True))
        vertices = np.zeros((len(shapes), 8, 2), np.float32)
        for into, (shape, *_) in zip(vertices, shapes, strict=True):
            into[: len(shape)] = shape
        self._shapes = world.Car(
            vertices,
            lengths=np.array([len(shape) for shape, *_ in shapes]),
            bodies=np.array([body for _, body, _, _ in shapes]),
            inks=np.array([ink for _, _, ink, _ in shapes]),
            marks=np.array([mark for *_, mark in shapes]),
        )
        self._vertices = [shape.vertices for shape in self._fixtures]
        self._colours = [tuple(obj.color) for obj in self._drawlist]
        self._wheels = ["phase" in obj.__dict__ for obj in self._drawlist]
        self._places = [_place_of(obj) for obj in self._drawlist]
        self._bodies = np.zeros((len(self._places), 4), np.float32)
        self._phases = np.zeros(len(self._places))
        if any(place is None for place in self._places):
            return False
        self._proxies, self._car, self._world = env.world.proxyCount, env.car, env.world
        return True

    def _frame(self, env: stock.CarRacing, rows: int) -> world.Frame | None:
        """What the frame shows besides the shapes; None where a colour is none."""
        field, grass = _ink(env.bg_color), _ink(env.grass_color)
        if field is None or grass is None:
            return None
        np.concatenate(self._places, out=self._bodies.reshape(-1))
        for body, obj in enumerate(self._drawlist):
            if self._wheels[body]:
                self._phases[body] = obj.phase
        camera, beyond = _camera(env.car.hull, env.t)
        speeds = _speeds(env.car)
        # Of the indicators, 84 rows see only a gauge that leaves the bar at its top.
        bar = rows > world.ROWS_WITHOUT_BAR or not max(speeds) < world.TALL
        if bar:
            self._gauges[:5] = speeds
            self._gauges[5] = env.car.wheels[0].joint.angle
            self._gauges[6] = env.car.hull.angularVelocity
        text = _text(f"{env.reward:04.0f}") if rows > world.ROWS_WITHOUT_BAR else _NO_TEXT
        return world.Frame(
            camera, field, grass, beyond, self._bodies, self._phases, bar, self._gauges, *text
        )


def _place_of(body) -> np.ndarray | None:
    """x, y, sine and cosine of a body, float32 (4,), where Box2D itself keeps them.

    The array follows the body. None if the memory does not hold what Box2D says.
    """
    transform = body.transform
    place = np.ctypeslib.as_array((ctypes.c_float * 4).from_address(int(transform.this)))
    x, y = transform.position
    return place if place.tolist() == [x, y, transform.R.s, transform.R.c] else None


def _speeds(car: car_dynamics.Car) -> tuple[float, ...]:
    """The lengths of the first five gauges: of the hull's speed and the wheels' turning speeds."""
    velocity = car.hull.linearVelocity
    speed = math.sqrt(velocity.x * velocity.x + velocity.y * velocity.y)
    a, b, c, d = [wheel.omega for wheel in car.wheels[:4]]
    return speed, a, b, c, d


def _camera(hull, t: float) -> tuple[tuple[float, float, float, float, float], bool]:
    """(cosine, sine, zoom, translation x and y), and: is more than the field in view?"""
    zoom = 0.1 * stock.SCALE * max(1 - t, 0) + stock.ZOOM * stock.SCALE * min(t, 1)
    position = hull.position
    x, y = position.x, position.y
    scroll_x, scroll_y = -x * zoom, -y * zoom
    # What rotate_rad does to every point, quarter turns included, is seen on (1, 0).
    c, s = pygame.math.Vector2(1, 0).rotate_rad(-hull.angle)
    shift_x = stock.WINDOW_W / 2 + (c * scroll_x - s * scroll_y)
    shift_y = stock.WINDOW_H / 4 + (s * scroll_x + c * scroll_y)
    # No corner of the screen is farther than 782 pixels from the hull, at (500, 200).
    beyond = max(abs(x), abs(y)) + 800 / zoom > stock.PLAYFIELD
    return (c, s, zoom, shift_x, shift_y), beyond
