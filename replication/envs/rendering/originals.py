"""What the kernels repeat of gymnasium and pygame, and whether it is still what stock would do.

A subclass may draw for itself, a program may replace a function or a constant of a module. The
kernels know nothing of it: then stock has to draw.
"""

from itertools import repeat
from types import ModuleType

import pygame
import pygame.gfxdraw
from gymnasium.envs.box2d import car_dynamics
from gymnasium.envs.box2d import car_racing as stock

BACKEND = "SSE2"  # pygame's, whose arithmetic downscale.py repeats
_CONSTANTS = {
    stock: {
        "WINDOW_W": 1000,
        "WINDOW_H": 800,
        "STATE_W": 96,
        "STATE_H": 96,
        "SCALE": 6.0,
        "PLAYFIELD": 2000 / 6.0,
        "GRASS_DIM": 2000 / 6.0 / 20.0,
        "ZOOM": 2.7,
        "MAX_SHAPE_DIM": (2000 / 6.0 / 20.0) * 2**0.5 * 2.7 * 6.0,
    },
    car_dynamics: {"SIZE": 0.02, "WHEEL_R": 27, "WHEEL_W": 14, "WHEEL_WHITE": (77, 77, 77)},
}
_METHODS = ("_render_road", "_render_indicators", "_draw_colored_polygon", "_create_image_array")
_FUNCTIONS = [
    (stock, "pygame"),
    (stock, "gfxdraw"),
    (stock.CarRacing, "_render"),
    *((stock.CarRacing, name) for name in _METHODS),
    (car_dynamics.Car, "draw"),
    (pygame, "Surface"),
    (pygame.gfxdraw, "aapolygon"),
    (pygame.gfxdraw, "filled_polygon"),
    (pygame.draw, "polygon"),
    (pygame.math, "Vector2"),
    (pygame.transform, "flip"),
    (pygame.transform, "smoothscale"),
    (pygame.font, "Font"),
    (pygame.surfarray, "pixels3d"),
]


def _original(owner: ModuleType | type, name: str):
    """The owner's attribute; None where gymnasium's was replaced before this was imported."""
    value = getattr(owner, name)
    module = {stock.CarRacing: stock, car_dynamics.Car: car_dynamics}.get(owner)
    code = getattr(value, "__code__", None)
    foreign = module and (code is None or code.co_filename != module.__file__)
    return None if foreign else value


CREATE_TRACK = _original(stock.CarRacing, "_create_track")
_KNOWN = [
    *((owner, name, value) for owner, known in _CONSTANTS.items() for name, value in known.items()),
    *((owner, name, _original(owner, name)) for owner, name in _FUNCTIONS),
]
_OWNERS, _NAMES, _VALUES = (tuple(column) for column in zip(*_KNOWN, strict=True))
_DRAWING = tuple(_original(stock.CarRacing, name) for name in _METHODS)
_CAR_DRAW = _original(car_dynamics.Car, "draw")


def in_place(env: stock.CarRacing) -> bool:
    """Is all that `env._render("state_pixels")` calls and reads of modules gymnasium's own?"""
    return (
        tuple(map(getattr, _OWNERS, _NAMES)) == _VALUES
        and tuple(map(getattr, repeat(type(env)), _METHODS)) == _DRAWING
        and env.__dict__.keys().isdisjoint(_METHODS)
        and type(env.car).draw is _CAR_DRAW
        and "draw" not in env.car.__dict__
        and pygame.transform.get_smoothscale_backend() == BACKEND
    )
