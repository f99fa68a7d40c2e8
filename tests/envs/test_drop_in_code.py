"""FastCarRacing stays CarRacing where other code draws or another constant holds: on twins."""

from replication.envs.car_racing import FastCarRacing

import numpy as np
import pygame
import pytest
from gymnasium.envs.box2d import car_dynamics
from gymnasium.envs.box2d import car_racing as stock_module
from gymnasium.envs.box2d.car_racing import CarRacing
from twins import driven, one_more_polygon, same_frames, twins

pytestmark = pytest.mark.usefixtures("compiled")

CONSTANTS = [
    *((stock_module, "ZOOM", 1.5), (stock_module, "SCALE", 5.0), (stock_module, "FPS", 25)),
    *((stock_module, "MAX_SHAPE_DIM", 10.0), (stock_module, "GRASS_DIM", 12.0)),
    *((stock_module, "PLAYFIELD", 40.0), (car_dynamics, "WHEEL_WHITE", (250, 250, 250))),
    *((car_dynamics, "SIZE", 0.03), (car_dynamics, "WHEEL_W", 20)),
]


def filled(surface, points, *rest):
    pygame.draw.polygon(surface, (1, 2, 3), points)


def circle(surface):
    pygame.draw.circle(surface, (0, 255, 0), (500, 600), 50)


FUNCTIONS = [
    *((CarRacing, "_render_road", lambda self, *rest: circle(self.surf)),),
    *((car_dynamics.Car, "draw", lambda self, surface, *rest: circle(surface)),),
    *((CarRacing, "_render_indicators", lambda self, *size: None),),
    *((pygame.gfxdraw, "filled_polygon", filled),),
    *((pygame.gfxdraw, "aapolygon", lambda *arguments: None),),
]


@pytest.mark.parametrize(("owner", "name", "value"), CONSTANTS + FUNCTIONS)
def test_another_constant_or_function(owner, name, value, monkeypatch):
    stock, fast = twins()
    monkeypatch.setattr(owner, name, value)
    same_frames(stock, fast)
    monkeypatch.undo()
    same_frames(stock, fast)


def test_another_smoothscale():
    before = pygame.transform.get_smoothscale_backend()
    stock, fast = twins()
    try:
        pygame.transform.set_smoothscale_backend("GENERIC")
        same_frames(stock, fast)
    finally:
        pygame.transform.set_smoothscale_backend(before)
    same_frames(stock, fast)


def test_a_car_that_draws_itself():
    stock, fast = twins()
    for env in (stock, fast):
        env.car.draw = lambda surface, *rest: circle(surface)
    same_frames(stock, fast)


def test_an_environment_that_draws_a_road_of_its_own():
    stock, fast = twins()
    for env in (stock, fast):
        env._render_road = lambda *rest, env=env: env.surf.fill((10, 20, 30))
    same_frames(stock, fast)


class OwnTrack:
    """A square circuit."""

    def _create_track(self):
        corners = [(20, 20), (20, -20), (-20, -20), (-20, 20)]
        self.road, self.track = [], [(0, 0, x, y) for x, y in corners]
        for i, (x, y) in enumerate(corners):
            quad = [(x - 9, y - 9), (x + 9, y - 9), (x + 9, y + 9), (x - 9, y + 9)]
            self.fd_tile.shape.vertices = quad
            tile = self.world.CreateStaticBody(fixtures=self.fd_tile)
            tile.userData, tile.color = tile, self.road_color + 20.0 * i
            tile.road_visited, tile.road_friction, tile.idx = False, 1.0, i
            tile.fixtures[0].sensor = True
            self.road.append(tile)
            self.road_poly.append((quad, tile.color))
        return True


class StripedTrack:
    """Stock's track, some tiles painted."""

    def _create_track(self):
        created = super()._create_track()
        for _, colour in self.road_poly[::3] if created else ():
            if isinstance(colour, np.ndarray):
                colour[:] = (255, 255, 0)
        self.polygons = self.road_poly
        return created


class Marked:
    """Draws on the surface that stock has drawn."""

    def _render(self, mode):
        super()._render(mode)
        pygame.draw.circle(self.surf, (255, 0, 255), (500, 400), 120)
        return self._create_image_array(self.surf, (96, 96))


class Bright:
    """Changes what stock returns."""

    def _render(self, mode):
        return 255 - super()._render(mode)


class OtherIndicators:
    def _render_indicators(self, W, H):
        super()._render_indicators(W, H)
        pygame.draw.rect(self.surf, (0, 255, 255), (300, 0, 100, 500))


class OtherField:
    def _draw_colored_polygon(self, surface, poly, color, *rest, **options):
        super()._draw_colored_polygon(surface, poly, tuple(color)[::-1], *rest, **options)


class ClassRoad:
    road_poly = []


MIXINS = [OwnTrack, StripedTrack, Marked, Bright, OtherIndicators, OtherField, ClassRoad]


@pytest.mark.parametrize("mixin", MIXINS)
def test_a_subclass(mixin):
    stock_class = type("Stock", (mixin, CarRacing), {})
    fast_class = type("Fast", (mixin, FastCarRacing), {})
    stock, fast = driven(stock_class, 0), driven(fast_class, 0)
    same_frames(stock, fast, 70)
    for env in (stock, fast):
        one_more_polygon(env)
    same_frames(stock, fast, 2)
