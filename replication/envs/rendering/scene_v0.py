"""What a CarRacing environment shows, handed to the kernels of opengl.py as arrays.

A track's polygons are copied once. A tile changes colour when it is touched (FrictionDetector
writes into `tile.color`), so each tile's colour becomes a view into the array that the kernels
read. What a subclass changes later, the road's polygons, the colours, the car, is seen too.
"""

from typing import NamedTuple

from replication.envs.rendering import opengl

import numpy as np
from gymnasium.envs.box2d.car_dynamics import Car
from gymnasium.envs.box2d.car_racing import GRASS_DIM, PLAYFIELD, CarRacing

_FIELD = np.array([(-1, 1), (1, 1), (1, -1), (-1, -1)]) * PLAYFIELD
_GRASS = [
    [(x + 1, y), (x, y), (x, y + 1), (x + 1, y + 1)]
    for x in range(-20, 20, 2)
    for y in range(-20, 20, 2)
]
_LAND = np.array([_FIELD, *(np.array(_GRASS) * GRASS_DIM)])  # (401, 4, 2)


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


def _circles(quads: np.ndarray) -> np.ndarray:
    """Centre and radius of a circle around each quad (N, 4, 2), a hair too large: (N, 3)."""
    centres = quads.mean(axis=1)  # (N, 2)
    radii = np.linalg.norm(quads - centres[:, None], axis=2).max(axis=1)  # (N,)
    return np.column_stack([centres, radii + 0.01]).astype(np.float32)


def _same(polygons: list, known: list | None) -> bool:
    """Do both hold the same objects? (Of two items, == looks first whether they are one.)"""
    try:
        return polygons == known
    except ValueError:  # it came to comparing colours, which are arrays
        return False


class Scene:
    """The track and the car of one environment."""

    def __init__(self, rows: int):
        self._rows = rows
        self._bodies = np.zeros(30)
        self._polygons = None
        self._car = None

    def _set_ground(self, env: CarRacing) -> None:
        """Take over the road; the colours of its polygons become views into the ground's."""
        quads = np.array([*_LAND, *(quad for quad, _ in env.road_poly)])  # (N, 4, 2)
        colours = np.empty((len(quads), 3))
        tiles = {id(tile.color): tile for tile in env.road}
        for i, (quad, colour) in enumerate(env.road_poly):
            view = colours[len(_LAND) + i]
            view[:] = colour
            if id(colour) in tiles:  # else a kerb, whose colour stays
                tiles[id(colour)].color = view
                env.road_poly[i] = (quad, view)
        self._ground = Ground(quads.astype(np.float32), _circles(quads), colours)
        self._polygons = list(env.road_poly)
        self._canvas = opengl.new_canvas(len(quads) + len(self._shapes.sizes), self._rows)

    def _set_car(self, car: Car) -> None:
        """Take over a new car: the shapes of its bodies."""
        parts = [*car.wheels[:4], car.hull]
        polygons = [
            (fixture.shape.vertices, body, obj.color)
            for body, obj in enumerate(parts)
            for fixture in obj.fixtures
        ]
        vertices = np.zeros((len(polygons), 8, 2), np.float32)
        inks = []
        for into, (corners, _, colour) in zip(vertices, polygons, strict=True):
            into[: len(corners)] = corners
            red, green, blue = (round(255 * c) for c in colour)
            inks.append(red | green << 8 | blue << 16)
        sizes = np.array([len(corners) for corners, _, _ in polygons])
        owners = np.array([body for _, body, _ in polygons])
        self._shapes = Shapes(vertices, sizes, owners, np.array(inks))
        # Box2D's transforms are read in place: they follow their body.
        transforms = [obj.transform for obj in parts]
        self._placements = [(place, place.q, place.position) for place in transforms]
        self._car, self._polygons = car, None  # the canvas must get room for it

    def render(self, env: CarRacing) -> np.ndarray:
        """The state, a new array uint8 (rows, 96, 3)."""
        motion = self.motion(env)
        if not _same(env.road_poly, self._polygons):
            self._set_ground(env)
        self._ground.colours[0] = env.bg_color
        self._ground.colours[1 : len(_LAND)] = env.grass_color
        state = np.empty((self._rows, opengl.SIDE, 3), np.uint8)
        words = state.reshape(self._rows, -1).view(np.uint32)  # (rows, 72)
        opengl.draw(self._canvas, self._ground, self._shapes, motion, words)
        return state

    def motion(self, env: CarRacing) -> Motion:
        """The car as it is now, as one NamedTuple for all kernels."""
        if env.car is not self._car:
            self._set_car(env.car)
        hull, wheels = env.car.hull, env.car.wheels
        velocity = hull.linearVelocity
        values = []
        for (_, rotation, position), wheel in zip(self._placements, wheels, strict=False):
            values += rotation.c, rotation.s, position.x, position.y, wheel.phase, wheel.omega
        _, rotation, position = self._placements[4]
        values += rotation.c, rotation.s, position.x, position.y, velocity.x, velocity.y
        self._bodies[:] = values
        steering = wheels[0].joint.angle
        bodies = self._bodies.reshape(5, 6)
        return Motion(bodies, env.t, hull.angle, hull.angularVelocity, steering)
