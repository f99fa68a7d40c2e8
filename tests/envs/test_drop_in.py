"""FastCarRacing stays CarRacing whatever a program does to it: byte for byte, on twins.

Each case does the same to a stock environment and to a fast one, in the midst of an episode.
"""

import random

from replication.envs.car_racing import FastCarRacing
from replication.envs.rendering import originals, world

import gymnasium
import numpy as np
import pygame
import pytest
from Box2D.b2 import fixtureDef, polygonShape
from gymnasium.envs.box2d import car_dynamics
from gymnasium.envs.box2d import car_racing as stock_module
from gymnasium.envs.box2d.car_racing import CarRacing

pytestmark = pytest.mark.usefixtures("compiled")
GAS = np.array([0, 0.1, 0], np.float32)


def driven(cls, steps=70, **arguments):
    """An environment in the midst of an episode, the road in sight at full zoom."""
    env = cls(**arguments)
    env.reset(seed=8)
    for _ in range(steps):
        env.step(GAS)
    return env


def twins(steps=70, **arguments):
    return driven(CarRacing, steps, **arguments), driven(FastCarRacing, steps, **arguments)


def same_frames(stock, fast, frames=4):
    """Step both and compare; returns stock's last frame."""
    for _ in range(frames):
        expected, *rest = stock.step(GAS)
        state, *fast_rest = fast.step(GAS)
        np.testing.assert_array_equal(state, expected)
        assert fast_rest == rest
    return expected


def ahead(env, dx=0.0, dy=6.0):
    """A place in front of the car."""
    return np.array(tuple(env.car.hull.GetWorldPoint((dx, dy))))


def patch(env, size=2.0):
    """A square in front of the car, as road_poly has them."""
    x, y = ahead(env)
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]


def tile_in_sight(env):
    """Its place in road_poly."""
    middle = [np.mean(quad, axis=0) for quad, _ in env.road_poly]
    return int(np.argmin([np.hypot(*(m - ahead(env, dy=14))) for m in middle]))


def new_grass(env):
    env.grass_color = np.array([10, 20, 200])


def grass_in_place(env):
    env.grass_color[:] = (10.7, 20.2, 99.9)


def new_background(env):
    env.bg_color = (1, 2, 3)


def background_of_fractions(env):
    env.bg_color = [1.9, 2.5, 254.999]


def background_of_pygame(env):
    env.bg_color = pygame.Color("orchid")


def transparent_grass(env):
    env.grass_color = (200, 0, 0, 100)


def new_road_colour(env):
    env.road_color = np.array([200, 10, 10])


def one_more_polygon(env):
    env.road_poly.append((patch(env), (0, 0, 255)))


def a_triangle(env):
    env.road_poly.append((patch(env)[:3], (0, 0, 255)))


def a_huge_polygon(env):
    """Stock leaves it out: none of its corners is near the screen."""
    env.road_poly.append(([(300, 300), (300, -300), (-300, -300), (-300, 300)], (9, 9, 9)))


def a_polygon_beyond_16_bits(env):
    env.road_poly.append(([(4e3, 4e3), (4e3, -4e3), (-4e3, -4e3), (-4e3, 4e3)], (9, 9, 9)))


def half_the_road(env):
    del env.road_poly[: len(env.road_poly) // 2]


def another_list(env):
    env.road_poly = [(quad, (200, 100, 0)) for quad, _ in env.road_poly]


def another_entry(env):
    i = tile_in_sight(env)
    env.road_poly[i] = (env.road_poly[i][0], (0, 0, 0))


def a_moved_corner(env):
    quad, _ = env.road_poly[tile_in_sight(env)]
    quad[0] = tuple(ahead(env, 5))


def a_tile_painted_in_place(env):
    env.road_poly[tile_in_sight(env)][1][:] = (255, 0, 255)


def a_tile_painted_through_the_road(env):
    for tile in env.road:
        tile.color[:] = (12.6, 255.9, 0)


def tiles_with_other_arrays(env):
    """Stock draws road_poly's colours, not the tiles'."""
    for tile in env.road:
        tile.color = np.array([255.0, 0, 0])


def a_blue_car(env):
    env.car.hull.color = (0, 0, 0.99)


def coloured_wheels(env):
    env.car.wheels[1].color = [1.0, 0.5, 0.2]


def a_hull_that_rolls(env):
    env.car.hull.phase = 2.0


def no_wheels_drawn(env):
    env.car.drawlist = [env.car.hull]


def wheels_on_top(env):
    env.car.drawlist.reverse()


def a_trailer(env):
    vertices = [(-1, -1), (1, -1), (0, 1), (-0.9, 0.9)]
    body = env.world.CreateDynamicBody(
        position=tuple(ahead(env)), fixtures=fixtureDef(shape=polygonShape(vertices=vertices))
    )
    body.color = (0.2, 0.9, 0.9)
    env.car.drawlist.append(body)


def a_triangular_flag(env):
    """pygame fills three corners in a way of its own."""
    shape = polygonShape(vertices=[(-3, 0), (3, 0.3), (0, 4)])
    env.car.hull.CreateFixture(fixtureDef(shape=shape, density=0, isSensor=True))


def a_spoiler(env):
    shape = polygonShape(box=(2, 0.3))
    env.car.hull.CreateFixture(fixtureDef(shape=shape, density=0, isSensor=True))


def no_nose(env):
    env.car.hull.DestroyFixture(env.car.hull.fixtures[0])


def wide_wheels(env):
    for wheel in env.car.wheels:
        shape = wheel.fixtures[0].shape
        shape.vertices = [(3 * x, y) for x, y in shape.vertices]


def another_car(env):
    x, y = ahead(env)
    env.car.destroy()
    env.car = car_dynamics.Car(env.world, 0.3, x, y)


def a_lost_wheel(env):
    env.car.wheels[0].position = (1e7, 1e7)


def time_stops(env):
    env.t = 0.25


def before_time(env):
    env.t = -5.0


def a_high_score(env):
    env.reward = 12345.678


CASES = [
    *(new_grass, grass_in_place, new_background, background_of_fractions, background_of_pygame),
    *(transparent_grass, one_more_polygon, a_triangle, half_the_road),
    *(another_list, another_entry, a_moved_corner, a_tile_painted_in_place),
    *(a_tile_painted_through_the_road, a_blue_car, coloured_wheels, a_hull_that_rolls),
    *(
        no_wheels_drawn,
        wheels_on_top,
        a_trailer,
        a_triangular_flag,
        a_spoiler,
        no_nose,
        wide_wheels,
        another_car,
    ),
    *(a_lost_wheel, time_stops, before_time, a_high_score),
]


@pytest.mark.parametrize("change", CASES)
def test_a_change_in_the_midst_of_an_episode(change):
    stock, fast = twins()
    unchanged = driven(CarRacing)
    for env in (stock, fast):
        change(env)
    shown = same_frames(stock, fast)
    for _ in range(4):
        before = unchanged.step(GAS)[0]
    assert (shown != before).any()


UNSEEN = [new_road_colour, tiles_with_other_arrays, a_huge_polygon, a_polygon_beyond_16_bits]


@pytest.mark.parametrize("change", UNSEEN)
def test_a_change_that_does_not_show_at_once(change):
    stock, fast = twins()
    for env in (stock, fast):
        change(env)
    same_frames(stock, fast, 30)


def test_changes_one_after_the_other_and_a_new_episode():
    stock, fast = twins()
    order = random.Random(0).sample([c for c in CASES if c is not a_lost_wheel], len(CASES) - 1)
    for change in order:
        for env in (stock, fast):
            change(env)
        same_frames(stock, fast, 1)
    np.testing.assert_array_equal(fast.reset(seed=1)[0], stock.reset(seed=1)[0])
    same_frames(stock, fast)


def test_a_polygon_that_is_kept_and_changed_later():
    stock, fast = twins()
    quads = [env.road_poly[tile_in_sight(env)][0] for env in (stock, fast)]
    same_frames(stock, fast, 2)
    for env, quad in zip((stock, fast), quads, strict=True):
        quad[2] = tuple(ahead(env, 6, 9))
    same_frames(stock, fast)


def test_colours_that_are_none_raise_as_in_stock():
    for env in twins():
        env.road_poly[tile_in_sight(env)][1][:] = (300, 0, 0)
        with pytest.raises(ValueError, match="invalid color"):
            env.step(GAS)
        env.reset(seed=1)
        for tile in env.road:
            tile.color[:] = -30
        with pytest.raises(ValueError, match="invalid color"):
            env.step(GAS)


CONSTANTS = [
    *((stock_module, "ZOOM", 1.5), (stock_module, "SCALE", 5.0), (stock_module, "FPS", 25)),
    *((stock_module, "MAX_SHAPE_DIM", 10.0), (stock_module, "GRASS_DIM", 12.0)),
    *((stock_module, "PLAYFIELD", 40.0), (car_dynamics, "WHEEL_WHITE", (250, 250, 250))),
    *((car_dynamics, "SIZE", 0.03), (car_dynamics, "WHEEL_W", 20)),
]


@pytest.mark.parametrize(("module", "name", "value"), CONSTANTS)
def test_another_constant(module, name, value, monkeypatch):
    stock, fast = twins()
    monkeypatch.setattr(module, name, value)
    same_frames(stock, fast)
    monkeypatch.undo()
    same_frames(stock, fast)


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


@pytest.mark.parametrize(("owner", "name", "function"), FUNCTIONS)
def test_another_function(owner, name, function, monkeypatch):
    stock, fast = twins()
    monkeypatch.setattr(owner, name, function)
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


def test_the_surface_can_be_read_after_a_frame():
    stock, fast = twins()
    for env in (stock, fast):
        env.step(GAS)
    expected, shown = (pygame.surfarray.array3d(env.surf) for env in (stock, fast))
    np.testing.assert_array_equal(shown, expected)
    assert fast.reward == stock.reward


def test_through_wrappers():
    envs = [gymnasium.make(name) for name in ("CarRacing-v3", "replication/FastCarRacing-v3")]
    for env in envs:
        env.reset(seed=3)
        env.unwrapped.grass_color = np.array([0, 0, 200])
        env.get_wrapper_attr("road_poly").append((patch(env.unwrapped), (9, 9, 255)))
    for _ in range(3):
        expected, shown = (env.step(GAS)[0] for env in envs)
        np.testing.assert_array_equal(shown, expected)


def test_the_kernels_draw_unless_there_is_a_reason(monkeypatch):
    """The looks of a car, colours and polygons are no reason for stock to draw."""
    fast = driven(FastCarRacing)
    monkeypatch.setattr(CarRacing, "_render", lambda *_: pytest.fail("stock draws"))
    monkeypatch.setattr(originals, "in_place", lambda env: True)
    for change in (new_grass, one_more_polygon, another_list, a_blue_car, a_spoiler, another_car):
        change(fast)
        fast.step(GAS)


def test_a_track_that_nobody_looks_at_is_copied_once(monkeypatch):
    fast = driven(FastCarRacing)
    monkeypatch.setattr(fast._scene, "copy_track", lambda *_: pytest.fail("copied again"))
    for _ in range(5):
        fast.step(GAS)
    assert world.GROUP == 8 and len(fast._scene._road.circles) == -(-len(fast._road_poly) // 8)
