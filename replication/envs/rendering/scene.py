"""What a CarRacing environment shows, handed to the kernels as arrays.

A track's polygons are copied once. A tile changes colour when it is touched (FrictionDetector
writes into `tile.color`), so `tile.color` becomes a view into the array that the kernels read.
"""

import threading
from functools import lru_cache

from replication.envs.rendering import downscale, raster, surface

import numpy as np
import pygame
from gymnasium.envs.box2d import car_dynamics
from gymnasium.envs.box2d import car_racing as stock

_GRASS = [
    [
        ((x + 1) * stock.GRASS_DIM, y * stock.GRASS_DIM),
        (x * stock.GRASS_DIM, y * stock.GRASS_DIM),
        (x * stock.GRASS_DIM, (y + 1) * stock.GRASS_DIM),
        ((x + 1) * stock.GRASS_DIM, (y + 1) * stock.GRASS_DIM),
    ]
    for x in range(-20, 20, 2)
    for y in range(-20, 20, 2)
]
_FIELD = [[(1, 1), (1, -1), (-1, -1), (-1, 1)]]
_GROUND = 1 + len(_GRASS)
_NO_TEXT = np.empty((0, 0), np.int64)


def _ink(colour) -> int:
    """An RGB triple as the kernels' packed colour; fractions are cut off, as pygame does."""
    red, green, blue = (int(c) for c in colour)
    return red << downscale.RED | green << downscale.GREEN | blue


@lru_cache(maxsize=4096)
def _text(text: str) -> tuple[np.ndarray, int, int]:
    """The score as stock draws it: packed colours (height, width), left and top."""
    pygame.font.init()
    font = pygame.font.Font(pygame.font.get_default_font(), 42)
    drawn = font.render(text, True, (255, 255, 255), (0, 0, 0))
    rect = drawn.get_rect()
    rect.center = (60, stock.WINDOW_H - stock.WINDOW_H * 2.5 / 40.0)
    opaque = pygame.Surface(rect.size, depth=32)
    opaque.blit(drawn, (0, 0))
    rgb = pygame.surfarray.array3d(opaque).astype(np.int64).transpose(1, 0, 2)  # (height, width, 3)
    packed = rgb @ np.array([1 << downscale.RED, 1 << downscale.GREEN, 1])
    return packed, rect.x, rect.y


class Canvas(threading.local):
    """What frames are drawn on: one a thread for each number of rows, since no frame needs another.

    (9 MB: if each of 16 environments had its own, the processor's caches would hold none of them.)
    """

    def __init__(self):
        self.of_rows = {}

    def __call__(self, rows: int) -> tuple[np.ndarray, ...]:
        """colour, pixels, at_y, spans, counts, crossings, points: see surface.py and raster.py."""
        if rows not in self.of_rows:
            cells = (rows + 2) * downscale.CELLS
            self.of_rows[rows] = (
                np.zeros(cells, np.int64),
                np.zeros(cells * downscale.BLOCK, np.int64),
                surface.addresses(rows),
                np.zeros((stock.WINDOW_H, 2), np.int64),
                np.zeros(stock.WINDOW_H, np.int64),
                np.zeros((stock.WINDOW_H, 8), np.int64),
                np.zeros((8, 2), np.int64),
            )
        return self.of_rows[rows]


_canvas = Canvas()


class Scene:
    """The track and car of one environment."""

    def __init__(self, rows: int):
        self.rows = rows
        self._y_seen = stock.WINDOW_H - 1 - int(downscale.Y_START[rows])
        self._car = None
        self._bodies, self._phases = np.zeros((5, 4), np.float32), np.zeros(4)

    def set_track(self, env: stock.CarRacing) -> None:
        """Take over a new track; its tiles' colours become views into this scene's array."""
        field = np.array(_FIELD) * stock.PLAYFIELD
        self._quads = np.concatenate([field, _GRASS, [quad for quad, _ in env.road_poly]])
        self._tints = np.empty((len(self._quads), 3))
        self._tints[0], self._tints[1:_GROUND] = env.bg_color, env.grass_color
        tiles = {id(tile.color): tile for tile in env.road}
        for i, (quad, colour) in enumerate(env.road_poly):
            tint = self._tints[_GROUND + i]
            tint[:] = colour
            if id(colour) in tiles:  # else a border, whose colour stays
                tiles[id(colour)].color = tint
                env.road_poly[i] = (quad, tint)

    def _set_car(self, car: car_dynamics.Car) -> None:
        """Take over a new car: the shapes of its bodies, a wheel's mark after each wheel."""
        shapes = []  # (vertices, body, ink)
        for body, obj in enumerate(car.drawlist):
            ink = _ink(255 * c for c in obj.color)
            for fixture in obj.fixtures:
                shapes.append((fixture.shape.vertices, body, ink))
                if obj is not car.hull:
                    shapes.append(([(0, 0)] * 4, body, _ink(car_dynamics.WHEEL_WHITE)))
        vertices = np.zeros((len(shapes), 8, 2), np.float32)
        for into, (shape, _, _) in zip(vertices, shapes, strict=True):
            into[: len(shape)] = shape
        self._shapes = (
            vertices,
            np.array([len(shape) for shape, _, _ in shapes]),
            np.array([body for _, body, _ in shapes]),
            np.array([ink for _, _, ink in shapes]),
        )
        # Box2D's transforms and positions are read in place: they follow their body.
        transforms = [obj.transform for obj in car.drawlist]
        self._placements = [(transform, transform.position) for transform in transforms]
        self._car = car

    def can_draw(self, env: stock.CarRacing) -> bool:
        """Do all coordinates stay within gfxdraw's 16 bits, which the kernels take for granted?"""
        x, y = env.car.hull.position
        return env.t >= 0 and abs(x) < 1000 and abs(y) < 1000

    def render(self, env: stock.CarRacing) -> np.ndarray:
        """The state, uint8 (rows, 96, 3), as `env._render("state_pixels")` gives it."""
        car = env.car
        if car is not self._car:
            self._set_car(car)
        for i, (transform, position) in enumerate(self._placements):
            rotation = transform.R
            self._bodies[i] = rotation.c, rotation.s, position.x, position.y
        for i, wheel in enumerate(car.wheels):
            self._phases[i] = wheel.phase
        view, beyond = self._camera(env)
        canvas = _canvas(self.rows)
        raster.draw_world(
            *(canvas, max(self._y_seen, raster.BAR), self._quads, self._tints),
            *(view, beyond, self._shapes, self._bodies, self._phases),
        )
        self._indicators(env, canvas)
        state = np.empty((self.rows, stock.STATE_W, 3), np.uint8)
        squeezed = np.empty(16, np.int64)
        downscale.downscale(canvas[0], canvas[1], squeezed, downscale.UNIFORM, state)
        return state

    def _camera(self, env: stock.CarRacing) -> tuple[tuple, bool]:
        """(cosine, sine, zoom, translation x and y), and: is more than the field in view?"""
        hull, t = env.car.hull, env.t
        zoom = 0.1 * stock.SCALE * max(1 - t, 0) + stock.ZOOM * stock.SCALE * min(t, 1)
        x, y = hull.position
        scroll_x, scroll_y = -x * zoom, -y * zoom
        # What rotate_rad does to every point, quarter turns included, is seen on (1, 0).
        c, s = pygame.math.Vector2(1, 0).rotate_rad(-hull.angle)
        shift_x = stock.WINDOW_W / 2 + (c * scroll_x - s * scroll_y)
        shift_y = stock.WINDOW_H / 4 + (s * scroll_x + c * scroll_y)
        # No corner of the screen is farther than 782 pixels from the hull, at (500, 200).
        beyond = max(abs(x), abs(y)) + 800 / zoom > stock.PLAYFIELD
        return (c, s, zoom, shift_x, shift_y), beyond

    def _indicators(self, env: stock.CarRacing, canvas: tuple[np.ndarray, ...]) -> None:
        """The indicator bar, of which 84 rows only see a gauge that shoots out at the top."""
        car = env.car
        velocity = car.hull.linearVelocity
        speed = (velocity.x * velocity.x + velocity.y * velocity.y) ** 0.5
        wheels = [wheel.omega for wheel in car.wheels]
        if self._y_seen >= raster.BAR and max(0.02 * speed, *(0.01 * w for w in wheels)) < 3.9:
            return
        gauges = np.array([speed, *wheels, car.wheels[0].joint.angle, car.hull.angularVelocity])
        text, left, top = _NO_TEXT, 0, 0
        if self._y_seen < raster.BAR:
            text, left, top = _text(f"{env.reward:04.0f}")
        raster.draw_indicators(*canvas[:4], self._y_seen, gauges, text, left, top)
