"""The loop that drives: its timeline, its slots, its ends, with an environment that counts."""

from replication.config import Env
from replication.rollouts.loop import Task, drive, make_env

import numpy as np
import pytest


class Echo:
    """a_t says which frame it answers, (t / 1000, 0, seed / 1000), and keeps what it was told."""

    def __init__(self):
        self.begun: list[tuple[int, Task]] = []
        self.calls = 0

    def begin(self, slot: int, task: Task) -> None:
        self.begun.append((slot, task))

    def act(self, frames: np.ndarray) -> np.ndarray:
        assert frames.dtype == np.uint8
        assert frames.shape[1:] == (64, 64, 3)
        self.calls += 1
        middle = np.float32(frames[:, 32, 32])  # red is t, green is the seed
        return np.stack([middle[:, 0], 0 * middle[:, 0], middle[:, 1]], axis=1) / 1000


def tasks(*seeds: int) -> list[Task]:
    return [Task(seed) for seed in seeds]


def test_timeline_of_a_recorded_episode(counting_env):
    """frames[t] is x_t, actions[t] answers x_t, rewards[t] is what a_t earned."""
    env = counting_env(length=6)
    ((place, episode),) = drive([env], Echo(), tasks(42), keep_frames=True)
    assert (place, episode.seed, len(episode.frames)) == (0, 42, 6)
    for t in range(6):
        assert (episode.frames[t] == (t, 42, 7)).all()  # row 84 on was cut off
        np.testing.assert_allclose(episode.actions[t], [t / 1000, 0, 0.042], rtol=1e-6)
        assert episode.rewards[t] == 1000 * (t + 1) + float(episode.actions[t][0])
    assert episode.terminated == [False] * 5 + [True]
    assert [(seed, t) for seed, t, _ in env.given] == [(42, t) for t in range(6)]
    assert episode.total == pytest.approx(21_000 + 0.015)


def test_an_ended_episode_goes_on_if_it_is_told_to(counting_env):
    """terminated ends nothing with stop_at_end=False: whole episodes, as the paper recorded."""
    ((_, episode),) = drive(
        [counting_env(length=4)], Echo(), tasks(0), max_steps=9, stop_at_end=False
    )
    assert len(episode.rewards) == 9
    assert episode.terminated == [False] * 3 + [True] * 6


def test_max_steps_ends_an_episode(counting_env):
    ((_, episode),) = drive([counting_env(length=50)], Echo(), tasks(0), max_steps=5)
    assert len(episode.rewards) == len(episode.actions) == 5
    assert not any(episode.terminated)


def test_frames_are_kept_only_if_asked_for(counting_env):
    ((_, episode),) = drive([counting_env()], Echo(), tasks(0))
    assert episode.frames == []


def test_slots_are_refilled_in_the_order_of_the_tasks(counting_env):
    """Lengths are 3 + seed % 5; two slots: (0: 3), (4: 7), then 1: 4 follows 0, 2: 5 follows 4."""
    policy = Echo()
    driven = list(drive([counting_env(), counting_env()], policy, tasks(0, 4, 1, 2)))
    assert [place for place, _ in driven] == [0, 1, 2, 3]
    assert [(slot, task.seed) for slot, task in policy.begun] == [(0, 0), (1, 4), (0, 1), (1, 2)]
    assert [len(episode.rewards) for _, episode in driven] == [3, 7, 4, 5]
    assert policy.calls == 7 + 5  # no slot idles before the queue is empty


def test_episodes_do_not_depend_on_their_company(counting_env):
    seeds = [13, 2, 8, 21, 34, 55, 1]
    alone = {}
    for seed in seeds:
        ((_, alone[seed]),) = drive([counting_env()], Echo(), tasks(seed), keep_frames=True)
    for slots in (2, 3, 7, 12):
        envs = [counting_env() for _ in range(slots)]
        found = dict(drive(envs, Echo(), tasks(*seeds), keep_frames=True))
        assert sorted(found) == list(range(7))
        for place, seed in enumerate(seeds):
            assert found[place].rewards == alone[seed].rewards
            np.testing.assert_array_equal(found[place].actions, alone[seed].actions)
            np.testing.assert_array_equal(found[place].frames, alone[seed].frames)


def test_the_policy_gets_each_tasks_parameters(counting_env):
    policy, vectors = Echo(), [np.ones(3), np.zeros(3), np.full(3, 7)]
    list(drive([counting_env()], policy, [Task(i, v) for i, v in enumerate(vectors)]))
    for (_, task), vector in zip(policy.begun, vectors, strict=True):
        assert task.parameters is vector


def test_watch_sees_the_frame_that_the_action_answers(counting_env):
    watched = []

    def watch(env, frame, action):
        watched.append((env.time, int(frame[0, 0, 0]), round(1000 * float(action[0]))))

    list(drive([counting_env(length=4)], Echo(), tasks(3), watch=watch))
    assert watched == [(t, t, t) for t in range(4)]


def tile_env(counting_env, tiles: set[int], length: int):
    """An environment that pays 5 for the frames in `tiles` and -0.1 for all others."""
    env = counting_env(length=length)
    step = env.step

    def paying(action):
        time = env.time
        obs, _, *ends = step(action)
        return obs, 5.0 if time in tiles else -0.1, *ends

    env.step = paying
    return env


def test_a_car_that_finds_no_tile_is_given_up_and_counts_as_standing(counting_env):
    """Tiles at 0, 2 and 5: frames 6..8 find none, so 9 are driven and 11 count as standing."""
    env = tile_env(counting_env, {0, 2, 5, 15}, length=30)
    ((_, episode),) = drive([env], Echo(), [Task(0, patience=3)], max_steps=20)
    assert (len(episode.rewards), episode.undriven) == (9, 11)
    assert episode.total == pytest.approx(3 * 5 - 17 * 0.1)


def test_a_car_that_comes_to_its_end_is_not_given_up(counting_env):
    """A patient driver, one who finds tiles in time, and one whose lap ends on the last frame."""
    for patience, tiles, length in ((0, set(), 9), (4, {3, 7}, 9), (9, set(), 9)):
        env = tile_env(counting_env, tiles, length)
        ((_, episode),) = drive([env], Echo(), [Task(0, patience=patience)], max_steps=20)
        assert (len(episode.rewards), episode.undriven) == (length, 0)
        assert episode.total == pytest.approx(sum(episode.rewards))


def test_a_task_may_end_before_the_drive_does(counting_env):
    """Two short episodes and a whole one in one slot; a car given up stands to its own end."""
    env = tile_env(counting_env, {0}, length=50)
    short, lost = Task(0, max_steps=7), Task(1, patience=3, max_steps=7)
    driven = dict(drive([env], Echo(), [short, Task(2), lost], max_steps=20))
    assert [len(driven[place].rewards) for place in range(3)] == [7, 20, 4]
    assert driven[2].undriven == 3
    assert driven[0].total == pytest.approx(driven[2].total) == pytest.approx(5 - 6 * 0.1)


def test_no_tasks_drive_nothing(counting_env):
    policy = Echo()
    assert list(drive([counting_env()], policy, [])) == []
    assert policy.calls == 0


def test_stock_is_gymnasiums_own_environment():
    env = make_env(Env(stock=True))
    assert env.spec.id == "CarRacing-v3"
    assert type(env.unwrapped).__module__ == "gymnasium.envs.box2d.car_racing"
    env.close()
