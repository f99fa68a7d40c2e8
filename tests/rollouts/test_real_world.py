"""Environments as a world: what is reset, stepped and shown, slot by slot."""

from replication.rollouts.loop import Trial

import numpy as np
from counting import CountingEnv, Reader, counting_world


def begun(*seeds: int, rows: int):
    world = counting_world(*(CountingEnv(9) for _ in seeds), model=Reader(rows))
    for slot, seed in enumerate(seeds):
        world.begin(slot, Trial(seed))
    return world


def test_only_the_slots_that_act_are_stepped():
    world = begun(3, 4, 5, rows=3)
    actions = np.float32([[0.1, 0, 0], [0.2, 0, 0], [0.3, 0, 0]])
    rewards, ended = world.step([0, 2], actions)
    np.testing.assert_allclose(rewards, [1000.1, 0, 1000.3])
    assert ended.tolist() == [False] * 3
    assert [env.time for env in world.envs] == [1, 0, 1]
    assert world.frames[:, 9, 9].tolist() == [[1, 3, 7], [0, 4, 7], [1, 5, 7]]
    np.testing.assert_array_equal(world.model.actions, [actions])


def test_what_begins_anew_shows_its_first_frame_and_the_others_stay():
    world = begun(3, 4, rows=2)
    world.step([0, 1], np.zeros((2, 3), np.float32))
    world.begin(1, Trial(6))
    np.testing.assert_allclose(world.see().z, [[0.001, 0.003], [0, 0.006]])
    assert world.model.begun == [(0, 3), (1, 4), (1, 6)]


def test_rows_beyond_the_environments_stay_black():
    """V's call has one shape, however many environments there are."""
    world = begun(3, 4, rows=5)
    world.step([0, 1], np.zeros((5, 3), np.float32))
    assert (world.width, world.frames.shape) == (2, (5, 64, 64, 3))
    assert world.frames[:2].all(axis=(1, 2, 3)).tolist() == [True, True]
    assert not world.frames[2:].any()


def test_without_v_and_m_nothing_is_seen():
    world = counting_world(CountingEnv(2))
    world.begin(0, Trial(3))
    assert world.see() is None
    ends = [world.step([0], np.zeros((1, 3)))[1].tolist() for _ in range(2)]
    assert ends == [[False], [True]]
    assert (world.frames[0] == (2, 3, 7)).all()


def test_limits_are_the_tasks_unless_they_are_given():
    assert counting_world(CountingEnv()).max_steps == 1000
    world = counting_world(CountingEnv(), max_steps=7)
    assert (world.max_steps, world.idle_reward) == (7, -0.1)
