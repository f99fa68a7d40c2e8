"""FastCarRacing against stock CarRacing: every byte, reward and flag."""

import copy
import itertools
import math
import pickle
import tempfile
import warnings

from replication.envs.car_racing import FastCarRacing
from replication.envs.rendering import originals, selfcheck, world

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.box2d.car_racing import PLAYFIELD, CarRacing
from gymnasium.utils.env_checker import check_env

pytestmark = pytest.mark.usefixtures("compiled")


def random_walk(rng):
    action = np.zeros(3)
    while True:
        action = np.clip(action + rng.normal(0, 0.2, 3), [-1, 0, 0], 1)
        yield action.astype(np.float32)


def noise(rng):
    while True:
        yield rng.uniform([-1, 0, 0], 1).astype(np.float32)


def full_throttle(rng):
    return itertools.repeat(np.array([0, 1, 0], np.float32))


def spin(rng):
    return itertools.repeat(np.array([1, 1, 0.1], np.float32))


def made(*rows: int, seed=None, **arguments):
    """A stock environment and a fast one for each of the rows, reset alike and compared."""
    envs = [CarRacing(**arguments), *(FastCarRacing(state_rows=n, **arguments) for n in rows)]
    same_reset(*envs, seed=seed)
    return envs


def both(seed=None, rows=96, **arguments):
    return made(rows, seed=seed, **arguments)


def same_reset(stock, *fasts, **arguments):
    expected, _ = stock.reset(**arguments)
    for fast in fasts:
        state, _ = fast.reset(**arguments)
        np.testing.assert_array_equal(state, expected[: fast.state_rows])


def same_step(action, stock, *fasts):
    """Step all; returns whether the episode is over."""
    expected, *expected_rest = stock.step(action)
    for fast in fasts:
        state, *rest = fast.step(action)
        np.testing.assert_array_equal(state, expected[: fast.state_rows])
        assert rest == expected_rest
    return expected_rest[1] or expected_rest[2]


@pytest.mark.parametrize(
    ("policy", "seed"), [(random_walk, 84), (noise, 96), (full_throttle, 97), (spin, 98)]
)
def test_driving_shows_the_same(policy, seed):
    envs = made(84, 96, seed=seed)
    actions = policy(np.random.default_rng(seed))
    for _ in range(250):
        if same_step(next(actions), *envs):
            same_reset(*envs)


def test_leaving_the_field_and_the_next_episode():
    stock, fast = both(seed=3)
    for env in (stock, fast):
        env.car.hull.position = (PLAYFIELD - 1, 20)
        for wheel in env.car.wheels:
            wheel.position = env.car.hull.position
        env.car.hull.linearVelocity = (80, 0)
    ends = [same_step(np.array([0, 1, 0], np.float32), stock, fast) for _ in range(30)]
    assert any(ends)
    same_reset(stock, fast)


def on_start_tile(env) -> bool:
    return any(tile.idx == 0 for wheel in env.car.wheels for tile in wheel.tiles)


def test_a_lap_ends_with_all_tiles_and_not_where_the_start_is_crossed_with_most_of_them():
    """lap_complete_percent asks for the start tile to be found, and the car stands on it at first.

    Five tiles of some 300 are missing as the car comes to the start again.
    """
    for env in both(seed=5):
        env.step(np.zeros(3, np.float32))
        assert env.road[0].road_visited and on_start_tile(env)
        for tile in env.road:
            tile.road_visited = not 100 <= tile.idx < 105
        env.tile_visited_count = len(env.road) - 5
        assert env.tile_visited_count / len(env.road) > env.lap_complete_percent
        back = np.subtract(env.track[-6][2:], env.track[0][2:])
        for body in (env.car.hull, *env.car.wheels):
            body.position = (np.array(body.position) + back).tolist()
        places = []
        for _ in range(150):
            _, _, terminated, _, _ = env.step(np.array([0, 0.3, 0], np.float32))
            places.append(on_start_tile(env))
            assert not terminated and not env.new_lap
        assert not places[1] and any(places)
        env.tile_visited_count = len(env.road)
        assert env.step(np.zeros(3, np.float32))[2]


def place(env, rng):
    """Put the car anywhere, any way round, at any zoom, its wheels and gauges at any value."""
    hull = env.car.hull
    corner = rng.choice([-1, 1], 2) * PLAYFIELD
    anywhere = rng.uniform(-1.1, 1.1, 2) * PLAYFIELD
    road = np.array(env.track[rng.integers(len(env.track))][2:])
    hull.position = [corner + rng.normal(0, 5, 2), anywhere, road][rng.integers(3)].tolist()
    quarter = rng.integers(-9, 10) * math.pi / 2
    hair = rng.choice([0, 5e-7, -5e-7, 1.1e-6, -1.1e-6, 9.9e-7, 2e-6, 1e-3])
    hull.angle = float(rng.choice([quarter + hair, rng.uniform(-20, 20)]))
    env.t = float(rng.choice([rng.uniform(0, 1), rng.uniform(0, 0.1), 1.0, 50.0]))
    hull.linearVelocity = rng.normal(0, rng.choice([0, 30, 200]), 2).tolist()
    hull.angularVelocity = float(rng.normal(0, rng.choice([0, 1e-4, 3, 30])))
    env.reward = float(rng.choice([rng.uniform(-120, 1000), rng.uniform(-1e5, 1e5)]))
    for wheel in env.car.wheels:
        wheel.position = (np.array(hull.position) + rng.normal(0, 1.5, 2)).tolist()
        wheel.angle = hull.angle + float(rng.uniform(-0.4, 0.4))
        wheel.phase, wheel.omega = rng.uniform(-10, 500), rng.normal(0, rng.choice([0, 100, 500]))
    for tile in rng.choice(env.road, 5):
        tile.color[:] = env.road_color


@pytest.mark.parametrize("rows, arguments", [((84, 96), {}), ((96,), {"domain_randomize": True})])
def test_the_car_placed_at_random(rows, arguments):
    stock, *fasts = made(*rows, seed=11, **arguments)
    for seed in range(250):
        for env in (stock, *fasts):
            place(env, np.random.default_rng(seed))
        expected = stock._render("state_pixels")
        for fast in fasts:
            state = fast._render("state_pixels")
            np.testing.assert_array_equal(state, expected[: fast.state_rows], str(seed))


@pytest.mark.parametrize("arguments", [{"domain_randomize": True}, {"continuous": False}])
def test_variants(arguments):
    stock, fast = both(seed=7, **arguments)
    stock.action_space.seed(7)
    for i in range(150):
        if same_step(stock.action_space.sample(), stock, fast) or i == 100:
            same_reset(stock, fast, seed=i, options={"randomize": i % 2 == 0})


def test_other_numbers_of_rows():
    envs = made(1, 40, 83, 85, 95, seed=1)
    actions = noise(np.random.default_rng(0))
    for _ in range(50):
        same_step(next(actions), *envs)


def test_visited_tiles_change_colour_and_keep_one_array():
    stock, fast = both(seed=2)
    for _ in range(120):
        same_step(np.array([0, 0.3, 0], np.float32), stock, fast)
    assert fast.tile_visited_count > 5
    polygons = {id(colour) for _, colour in fast.road_poly}
    assert all(id(tile.color) in polygons for tile in fast.road)
    visited = [tile.color for tile in fast.road if tile.road_visited]
    np.testing.assert_array_equal(visited, np.tile(fast.road_color, (len(visited), 1)))


def test_rgb_array_is_stocks_own_between_states():
    stock, fast = both(seed=4, rows=84, render_mode="rgb_array")
    for i in range(60):
        same_step(np.array([1, 1, 0], np.float32), stock, fast)  # skids
        if i % 6 == 0:
            np.testing.assert_array_equal(fast.render(), stock.render())
    assert fast.car.particles


@pytest.mark.parametrize("place", [(1500, 0), (1000, 700), (-700, 20), (300, -960), (0, 420)])
def test_far_outside_the_field(place):
    stock, *fasts = made(84, 96, seed=4)
    for turn in (0, 2.2):
        for env in (stock, *fasts):
            env.car.hull.position, env.car.hull.angle, env.t = place, turn, 1.0
        expected = stock._render("state_pixels")
        for fast in fasts:
            state = fast._render("state_pixels")
            np.testing.assert_array_equal(state, expected[: fast.state_rows])


def test_states_are_new_arrays():
    fast = FastCarRacing()
    first, _ = fast.reset(seed=1)
    kept = first.copy()
    second = fast.step(np.array([0, 1, 0], np.float32))[0]
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)


def test_gymnasium_takes_it():
    env = gymnasium.make("replication/FastCarRacing-v3", state_rows=84)
    assert (env.spec.max_episode_steps, env.spec.reward_threshold) == (1000, 900)
    assert env.observation_space.shape == (84, 96, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the action space, which is stock's
        check_env(env.unwrapped, skip_render_check=True)


def test_copies_keep_their_arguments():
    env = FastCarRacing(state_rows=84, continuous=False)
    for again in (copy.copy(env), copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert (again.state_rows, again.continuous) == (84, False)
        assert again.reset(seed=0)[0].shape == (84, 96, 3)


@pytest.mark.parametrize("rows", [0, 97, -1, 84.5, "84"])
def test_refuses_other_rows(rows):
    with pytest.raises(ValueError, match="state_rows"):
        FastCarRacing(state_rows=rows)


@pytest.fixture
def unknown_machine(tmp_path, monkeypatch):
    """Nothing remembered, and nothing of this test remembered after it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    selfcheck.same_pixels.cache_clear()
    yield tmp_path
    selfcheck.same_pixels.cache_clear()


def falls_back():
    """Does it warn, and does stock draw?"""
    with pytest.warns(UserWarning, match="gymnasium's own draws"):
        fast = FastCarRacing(state_rows=84)
    expected, _ = CarRacing().reset(seed=6)
    np.testing.assert_array_equal(fast.reset(seed=6)[0], expected[:84])


def test_wrong_pixels_are_noticed(unknown_machine, monkeypatch):
    draw = world.draw

    def wrong(canvas, *rest):
        draw(canvas, *rest)
        rest[-1][40, 40] += 1
        return True

    monkeypatch.setattr(world, "draw", wrong)
    falls_back()
    assert not list(unknown_machine.rglob("same-pixels*"))


def test_another_backend_is_noticed(unknown_machine, monkeypatch):
    monkeypatch.setattr(originals, "BACKEND", "NEON")
    falls_back()


def test_a_yes_is_remembered(unknown_machine, monkeypatch, capsys):
    assert selfcheck.same_pixels()
    assert "once, about" in capsys.readouterr().err
    assert len(list(unknown_machine.rglob("same-pixels-*"))) == 1
    monkeypatch.setattr(selfcheck, "compare", lambda: pytest.fail("checked twice"))
    selfcheck.same_pixels.cache_clear()
    assert selfcheck.same_pixels()


def test_without_a_place_to_remember(unknown_machine, monkeypatch):
    (unknown_machine / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(unknown_machine / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(unknown_machine / "file"))
    assert selfcheck.same_pixels()
