"""The loop in which controllers act: its timeline, its slots, its ends, in a game that counts."""

from replication.rollouts.loop import Trial, drive

import numpy as np
import pytest
from counting import CountingEnv, Echo, Reader, counting_world


def world_of(*envs: CountingEnv, max_steps: int | None = None):
    return counting_world(*envs, model=Reader(len(envs)), max_steps=max_steps)


def trials_of(*seeds: int) -> list[Trial]:
    return [Trial(seed) for seed in seeds]


class FrameKeeper:
    """Keeps x_t of each episode, by its seed, as a watch of the loop."""

    def __init__(self, world):
        self.world = world
        self.frames: dict[int, list[np.ndarray]] = {}

    def watch(self, slot, episode, seen, action) -> None:
        self.frames.setdefault(episode.seed, []).append(self.world.frames[slot].copy())


def test_timeline_of_an_episode():
    """actions[t] answers x_t, rewards[t] is what a_t earned, a watch sees x_t."""
    env = CountingEnv(length=6)
    world = world_of(env)
    keeper = FrameKeeper(world)
    ((place, episode),) = drive(world, Echo(), trials_of(42), watch=keeper.watch)
    assert (place, episode.seed, len(keeper.frames[42])) == (0, 42, 6)
    for t in range(6):
        assert (keeper.frames[42][t] == (t, 42, 7)).all()  # row 84 on was cut off
        np.testing.assert_allclose(episode.actions[t], [t / 1000, 0, 0.042], rtol=1e-6)
        assert episode.rewards[t] == 1000 * (t + 1) + float(episode.actions[t][0])
    assert episode.terminated == [False] * 5 + [True]
    assert [(seed, t) for seed, t, _ in env.taken] == [(42, t) for t in range(6)]
    assert episode.total == pytest.approx(21_000 + 0.015)


def test_an_ended_episode_goes_on_without_stop_at_end():
    """Whole episodes, as the paper recorded them."""
    world = world_of(CountingEnv(length=4), max_steps=9)
    ((_, episode),) = drive(world, Echo(), trials_of(0), stop_at_end=False)
    assert len(episode.rewards) == 9
    assert episode.terminated == [False] * 3 + [True] * 6


def test_the_worlds_limit_ends_an_episode():
    world = world_of(CountingEnv(length=50), max_steps=5)
    ((_, episode),) = drive(world, Echo(), trials_of(0))
    assert len(episode.rewards) == len(episode.actions) == 5
    assert not any(episode.terminated)


def test_slots_are_refilled_in_the_order_of_the_trials():
    """Lengths are 3 + seed % 5; two slots: (0: 3), (4: 7), then 1: 4 follows 0, 2: 5 follows 4."""
    controller = Echo()
    world = world_of(CountingEnv(), CountingEnv())
    episodes = list(drive(world, controller, trials_of(0, 4, 1, 2)))
    order = [(0, 0), (1, 4), (0, 1), (1, 2)]
    assert [place for place, _ in episodes] == [0, 1, 2, 3]
    assert [(slot, trial.seed) for slot, trial in controller.begun] == order
    assert world.model.begun == order
    assert [len(episode.rewards) for _, episode in episodes] == [3, 7, 4, 5]
    assert controller.calls == 7 + 5  # no slot idles before the queue is empty


def test_episodes_do_not_depend_on_their_company():
    seeds = [13, 2, 8, 21, 34, 55, 1]
    alone, frames = {}, {}
    for seed in seeds:
        world = world_of(CountingEnv())
        keeper = FrameKeeper(world)
        ((_, alone[seed]),) = drive(world, Echo(), trials_of(seed), watch=keeper.watch)
        frames |= keeper.frames
    for slots in (2, 3, 7, 12):
        world = world_of(*(CountingEnv() for _ in range(slots)))
        keeper = FrameKeeper(world)
        together = dict(drive(world, Echo(), trials_of(*seeds), watch=keeper.watch))
        assert sorted(together) == list(range(7))
        for place, seed in enumerate(seeds):
            assert together[place].rewards == alone[seed].rewards
            np.testing.assert_array_equal(together[place].actions, alone[seed].actions)
            np.testing.assert_array_equal(keeper.frames[seed], frames[seed])


def test_the_controller_gets_each_trials_parameters():
    controller, vectors = Echo(), [np.ones(3), np.zeros(3), np.full(3, 7)]
    trials = [Trial(i, vector) for i, vector in enumerate(vectors)]
    assert len(list(drive(world_of(CountingEnv()), controller, trials))) == 3
    for (_, trial), vector in zip(controller.begun, vectors, strict=True):
        assert trial.parameters is vector


def test_a_watch_is_called_before_each_step_with_what_the_action_answers():
    env, calls = CountingEnv(length=4), []

    def watch(slot, episode, seen, action):
        answered = [round(1000 * float(value)) for value in (seen.z[slot, 0], action[0])]
        calls.append((slot, env.time, episode.seed, *answered))

    list(drive(world_of(CountingEnv(length=2), env), Echo(), trials_of(9, 3), watch=watch))
    assert [call for call in calls if call[0] == 1] == [(1, t, 3, t, t) for t in range(4)]
    assert len(calls) == 2 + 4


class TileEnv(CountingEnv):
    """Pays 5 for the steps in `tiles` and -0.1 for all others."""

    def __init__(self, tiles: set[int], length: int):
        super().__init__(length)
        self.tiles = tiles

    def step(self, action):
        time = self.time
        obs, _, *ends = super().step(action)
        return obs, 5.0 if time in self.tiles else -0.1, *ends


def test_a_car_that_finds_no_tile_is_given_up_and_counts_as_standing():
    """Tiles at 0, 2 and 5: steps 6..8 find none, so 9 are driven and 11 count as idle."""
    world = world_of(TileEnv({0, 2, 5, 15}, length=30), max_steps=20)
    ((_, episode),) = drive(world, Echo(), [Trial(0, patience=3)])
    assert len(episode.rewards) == 9
    assert episode.skipped_return == pytest.approx(-0.1 * 11)
    assert episode.total == pytest.approx(3 * 5 - 17 * 0.1)


def test_a_car_that_comes_to_its_end_is_not_given_up():
    """A patient driver, one who finds tiles in time, and one whose lap ends on the last frame."""
    for patience, tiles, length in ((0, set(), 9), (4, {3, 7}, 9), (9, set(), 9)):
        world = world_of(TileEnv(tiles, length), max_steps=20)
        ((_, episode),) = drive(world, Echo(), [Trial(0, patience=patience)])
        assert (len(episode.rewards), episode.skipped_return) == (length, 0)
        assert episode.total == pytest.approx(sum(episode.rewards))


def test_a_trial_may_end_before_the_worlds_limit():
    """Two short episodes and a whole one in one slot; a car given up stands to its own end."""
    world = world_of(TileEnv({0}, length=50), max_steps=20)
    short, lost = Trial(0, max_steps=7), Trial(1, patience=3, max_steps=7)
    episodes = dict(drive(world, Echo(), [short, Trial(2), lost]))
    assert [len(episodes[place].rewards) for place in range(3)] == [7, 20, 4]
    assert episodes[2].skipped_return == pytest.approx(-0.1 * 3)
    assert episodes[0].total == pytest.approx(episodes[2].total) == pytest.approx(5 - 6 * 0.1)


def test_a_trial_does_not_outlast_the_worlds_limit():
    world = world_of(CountingEnv(length=50), max_steps=5)
    ((_, episode),) = drive(world, Echo(), [Trial(0, max_steps=7)])
    assert len(episode.rewards) == 5


def test_without_trials_nothing_is_done():
    controller = Echo()
    assert list(drive(world_of(CountingEnv()), controller, [])) == []
    assert controller.calls == 0
