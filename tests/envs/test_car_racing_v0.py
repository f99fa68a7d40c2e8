"""CarRacingV0 against what was recorded from the real gym 0.9.4, drawn by Mesa 22.3.6's llvmpipe.

car_racing_v0_frames.npz: 203 frames of five drives, with all their actions, tracks and states.
car_racing_v0_poses.npz: frames of other drives and poses, of which a rounding decides a pixel.
"""

from pathlib import Path

from replication.envs.car_racing import FastCarRacing
from replication.envs.car_racing_v0 import CarRacingV0
from replication.envs.rendering.opengl import WINDOW_H, WINDOW_W, draw
from replication.envs.rendering.scene_v0 import Motion

import numpy as np
import pygame
import pytest
from gymnasium.envs.box2d.car_racing import PLAYFIELD

SCORE = np.s_[89:92, 2:11]  # the pixels that the score touched in the real frames
GAS = np.array([0.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def record() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).parent / "car_racing_v0_frames.npz") as archive:
        return dict(archive)


def body_state(body) -> list[float]:
    place = body.transform
    return [
        *body.position,
        body.angle,
        *body.linearVelocity,
        body.angularVelocity,
        *(place.q.c, place.q.s, *place.position),
    ]


def wheel_state(wheel) -> list[float]:
    own = (wheel.omega, wheel.phase, wheel.joint.angle, wheel.gas, wheel.brake, wheel.steer)
    return [*body_state(wheel), *own]


def part(values: np.ndarray, lengths: np.ndarray, i: int) -> np.ndarray:
    """The i-th of arrays laid end to end."""
    end = lengths[: i + 1].sum()
    return values[end - lengths[i] : end]


def random_actions(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform((-1, 0, 0), 1, (count, 3))


def drive(env, actions) -> np.ndarray:
    """The states after each action."""
    return np.stack([env.step(action)[0] for action in actions])


def move(env, x: float, y: float) -> None:
    """Put the car elsewhere, at rest; the next step finds what it touches there."""
    old = env.car.hull.position.copy()
    for body in (env.car.hull, *env.car.wheels):
        body.position = (body.position.x - old.x + x, body.position.y - old.y + y)
        body.linearVelocity, body.angularVelocity = (0, 0), 0


@pytest.mark.parametrize("episode", range(5))
def test_the_recorded_drives_come_out_the_same(record, episode):
    env = CarRacingV0(light_grass=230)
    state, _ = env.reset(seed=int(record["seeds"][episode]))
    track = part(record["tracks"], record["track_lengths"], episode)
    np.testing.assert_array_equal(env.track, track)
    rows = np.flatnonzero(record["meta"][:, 0] == episode)
    row_of = {int(record["meta"][row, 1]): row for row in rows}
    actions = part(record["episode_actions"], record["episode_lengths"], episode)
    total, compared = 0.0, 0
    for step, action in enumerate([None, *actions]):
        if action is not None:
            state, reward, terminated, truncated, _ = env.step(action)
            total += reward
            assert not terminated and not truncated
        if step in row_of:
            row, compared = row_of[step], compared + 1
            expected = record["frames"][row].copy()
            expected[SCORE] = 0
            np.testing.assert_array_equal(state, expected, f"step {step}")
            assert body_state(env.car.hull) == record["hull"][row].tolist()
            assert [wheel_state(w) for w in env.car.wheels] == record["wheels"][row].tolist()
            values = [env.t, env.reward, env.tile_visited_count, total]
            assert values == record["meta"][row, 2:].tolist()
    assert compared == len(rows) > 0


def test_the_frames_that_a_rounding_decides():
    """Each of these shows a step of the driver's that was once wrong here, or left out on trial."""
    with np.load(Path(__file__).parent / "car_racing_v0_poses.npz") as archive:
        poses = dict(archive)
    env = CarRacingV0(light_grass=230)
    for i, expected in enumerate(poses["frames"]):
        env.reset(seed=int(poses["seeds"][i]))
        for tile in np.array(env.road)[poses["touched"][i, : len(env.road)]]:
            tile.color[:] = env.road_color
        motion = Motion(poses["motion"][i, :30].reshape(5, 6).copy(), *poses["motion"][i, 30:])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(env._scene, "motion", lambda env, motion=motion: motion)
            state = env._render("state_pixels")
        expected[SCORE] = 0
        np.testing.assert_array_equal(state, expected, f"pose {i}")


def test_the_other_green_is_all_that_differs():
    dark, light = CarRacingV0(), CarRacingV0(light_grass=230)
    dark.reset(seed=8), light.reset(seed=8)
    actions = random_actions(8, 60)
    at_229, at_230 = drive(dark, actions), drive(light, actions)
    grass = (at_230 == (102, 230, 102)).all(axis=-1)
    assert grass.mean() > 0.1
    np.testing.assert_array_equal(at_229[~grass], at_230[~grass])
    assert (at_229[grass] == (102, 229, 102)).all()


@pytest.mark.parametrize("rows", [1, 40, 84, 85, 95])
def test_fewer_rows_are_the_first_of_96(rows):
    some, whole = CarRacingV0(state_rows=rows), CarRacingV0()
    some.reset(seed=5), whole.reset(seed=5)
    actions = random_actions(5, 40)
    np.testing.assert_array_equal(drive(some, actions), drive(whole, actions)[:, :rows])


def test_a_view_from_which_nothing_is_left_out(monkeypatch):
    env = CarRacingV0()
    env.reset(seed=11)
    random = np.random.default_rng(11)
    for _ in range(100):
        env.car.hull.position = random.uniform(-1.1, 1.1, 2) * PLAYFIELD
        env.car.hull.linearVelocity = random.normal(0, 20, 2)
        env.t = random.uniform(0, 1.2)
        state = env._render("state_pixels")
        with monkeypatch.context() as patch:
            circles = env._scene._ground.circles.copy()
            circles[:, 2] = 1e4
            patch.setattr(env._scene, "_ground", env._scene._ground._replace(circles=circles))
            np.testing.assert_array_equal(env._render("state_pixels"), state)


def test_a_lap_ends_with_its_last_tile():
    ends = {}
    for kind in (CarRacingV0, FastCarRacing):
        env = kind()
        env.reset(seed=5)
        for tile in env.road:
            tile.road_visited = tile.idx not in (0, 150)
        env.tile_visited_count = len(env.road) - 2
        ends[kind] = []
        for index in (100, 0, 150):
            move(env, *env.track[index][2:])
            _, _, terminated, truncated, info = env.step(GAS)
            ends[kind].append((terminated, truncated, info.get("lap_finished")))
        assert env.tile_visited_count == len(env.road)
    going, finished = (False, False, None), (True, False, True)
    assert ends[CarRacingV0] == [going, going, finished]
    assert ends[FastCarRacing][1] == finished  # v3's other rule: the start again, 95% visited


def test_leaving_the_field():
    env = CarRacingV0()
    env.reset(seed=3)
    move(env, 0, PLAYFIELD - 0.5)
    env.step(GAS)
    move(env, 0, PLAYFIELD + 0.5)
    _, reward, terminated, truncated, info = env.step(GAS)
    assert (reward, terminated, truncated, info) == (-100, True, False, {"lap_finished": False})


def test_without_a_seed_the_random_numbers_go_on():
    env, again, other = CarRacingV0(), CarRacingV0(), CarRacingV0()
    tracks = {env: [], again: []}
    for each, drawn in tracks.items():
        each.reset(seed=4)
        drawn.append(each.track)
        for _ in range(2):
            each.reset()
            drawn.append(each.track)
    assert tracks[env] == tracks[again]
    assert tracks[env][0] != tracks[env][1] != tracks[env][2]
    other.reset()
    assert other.track not in tracks[env]  # a new environment begins anywhere


def test_states_are_new_arrays():
    env = CarRacingV0()
    first, _ = env.reset(seed=1)
    kept = first.copy()
    second = env.step(GAS)[0]
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)


def colours(state: np.ndarray) -> set[tuple]:
    """The colours above the bar."""
    return {tuple(pixel) for pixel in state[:84].reshape(-1, 3).tolist()}


def test_what_is_recoloured_later_is_seen():
    env = CarRacingV0()
    env.reset(seed=2)
    state = drive(env, [GAS] * 60)[-1]
    assert colours(state) > {(102, 204, 102), (102, 229, 102), (102, 102, 102), (107, 107, 107)}
    env.bg_color, env.grass_color[:] = (1, 2, 3), (4, 5, 6)
    for i, (quad, _) in enumerate(env.road_poly):
        env.road_poly[i] = (quad, (7, 8, 9))
    car = {(0, 0, 0), (76, 76, 76), (204, 0, 0)}
    assert colours(env.step(GAS)[0]) - car == {(1, 2, 3), (4, 5, 6), (7, 8, 9)}
    del env.road_poly[:]
    assert colours(env.step(GAS)[0]) - car == {(1, 2, 3), (4, 5, 6)}
    assert (102, 229, 102) not in colours(env.reset()[0])
    assert (107, 107, 107) in colours(env.reset()[0])


class StraightRoad(CarRacingV0):
    """A track of its own, made without CarRacing's."""

    def _create_track(self) -> bool:
        self.road, self.track = [], [(0.0, 0.0, 0.0, float(y)) for y in range(5)]
        self.road_poly.append(([(-6, -9), (6, -9), (6, 99), (-6, 99)], (9, 9, 9)))
        return True


def test_a_subclass_with_its_own_track():
    env = StraightRoad(state_rows=84)
    env.reset(seed=0)
    assert (9, 9, 9) in colours(drive(env, [GAS] * 60)[-1])


def test_only_quads_can_be_drawn():
    env = CarRacingV0()
    env.reset(seed=0)
    env.road_poly.append(([(0, 0), (1, 0), (1, 1)], (9, 9, 9)))
    with pytest.raises(ValueError):
        env.step(GAS)


def test_touched_tiles_turn_grey_and_keep_one_array():
    env = CarRacingV0()
    env.reset(seed=2)
    drive(env, [np.array([0, 0.3, 0])] * 120)
    assert env.tile_visited_count > 5
    shown = {id(colour) for _, colour in env.road_poly}
    assert all(id(tile.color) in shown for tile in env.road)
    visited = np.array([tile.color for tile in env.road if tile.road_visited])
    assert (visited == 102).all()


def test_the_window_shows_what_the_state_shows():
    env = CarRacingV0(render_mode="rgb_array")
    env.reset(seed=6)
    state = drive(env, [np.array([-0.5, 1, 0])] * 120)[-1]
    hull = env.car.hull
    turn = np.arctan2(*hull.linearVelocity) + hull.angle
    assert abs(turn) > 0.2  # it slides: v3's camera would look elsewhere
    picture = env.render()
    assert (picture.shape, picture.dtype) == ((400, 600, 3), np.uint8)
    assert env.surf.get_size() == (WINDOW_W, WINDOW_H)
    surface = pygame.surfarray.array3d(env.surf).transpose(1, 0, 2).astype(int)
    centres = (np.arange(96) + 0.5) / 96
    rows, columns = (centres * WINDOW_H).astype(int), (centres * WINDOW_W).astype(int)
    near = np.abs(surface[rows[:84, None], columns] - state[:84]).max(axis=-1) <= 1
    assert near.mean() > 0.97


def test_modes_of_gymnasium():
    env = CarRacingV0(render_mode="state_pixels")
    assert env.render() is None  # not reset yet
    state, _ = env.reset(seed=1)
    np.testing.assert_array_equal(env.render(), state)
    with pytest.raises(AssertionError):
        env._render("ansi")


def test_far_outside_the_field_all_is_black():
    env = CarRacingV0()
    env.reset(seed=1)
    move(env, 1e6, -1e6)
    state = env.step(GAS)[0]
    assert colours(state) <= {(0, 0, 0), (204, 0, 0), (76, 76, 76)}
    assert draw.signatures == draw.signatures[:1]  # one compilation serves all
