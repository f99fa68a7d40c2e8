"""FastCarRacing stays CarRacing whatever a program changes in it: byte for byte, on twins."""

import random

from replication.envs.car_racing import FastCarRacing
from replication.envs.rendering import originals, world

import gymnasium
import numpy as np
import pygame
import pytest
from Box2D.b2 import fixtureDef, polygonShape
from gymnasium.envs.box2d import car_dynamics
from gymnasium.envs.box2d.car_racing import CarRacing
from twins import GAS, ahead, driven, one_more_polygon, patch, same_frames, tile_in_sight, twins

pytestmark = pytest.mark.usefixtures("compiled")


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
