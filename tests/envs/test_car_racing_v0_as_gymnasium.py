"""CarRacingV0 as gymnasium takes it: seeds, vectors, copies, turns and threads, arguments."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

from replication.envs.car_racing_v0 import CarRacingV0, seeded_generator

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

ID = "replication/CarRacing-v0"


def random_actions(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform((-1, 0, 0), 1, (count, 3))


def drive(env, actions) -> np.ndarray:
    """The states after each action."""
    return np.stack([env.step(action)[0] for action in actions])


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_seeds_as_gym_hashed_them(seed):
    words = {  # what gym 0.9.4's seeding.py gave to RandomState.seed
        0: [547404849, 309914516],
        1: [2739863373, 598274112],
        2**31 - 1: [2971293439, 2033433996],
    }
    old = np.random.RandomState(words[seed])
    new = seeded_generator(seed)
    assert [new.uniform(0, 150) for _ in range(24)] == [old.uniform(0, 150) for _ in range(24)]


def test_seeds_of_numpy():
    env = CarRacingV0()
    env.reset(seed=7)
    track = env.track
    env.reset(seed=np.int64(7))
    assert env.track == track
    assert env.np_random_seed == 7


def test_the_generator_can_be_copied():
    generator = seeded_generator(6)
    generator.uniform()
    copies = [copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))]
    assert len({each.uniform() for each in (generator, *copies)}) == 1


@pytest.mark.parametrize("seed", [-1, 1.5, "1"])
def test_refuses_other_seeds(seed):
    with pytest.raises((gymnasium.error.Error, TypeError)):
        CarRacingV0().reset(seed=seed)


def test_gymnasium_takes_it():
    env = gymnasium.make(ID, state_rows=84)
    assert (env.spec.max_episode_steps, env.spec.reward_threshold) == (1000, 900)
    assert env.observation_space.shape == (84, 96, 3)
    check_env(gymnasium.make(ID, render_mode="rgb_array").unwrapped, skip_render_check=True)


def test_after_1000_steps_it_is_cut():
    env = gymnasium.make(ID, state_rows=1)
    env.reset(seed=0)
    cut = [env.step(np.zeros(3))[3] for _ in range(1000)]
    assert cut == [False] * 999 + [True]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_in_a_vector(mode):
    alone = CarRacingV0()
    first, _ = alone.reset(seed=3)
    envs = gymnasium.make_vec(ID, num_envs=2, vectorization_mode=mode)
    states, _ = envs.reset(seed=[2, 3])
    np.testing.assert_array_equal(states[1], first)
    for action in np.float32(random_actions(3, 20)):
        states, *_ = envs.step(np.stack([np.float32([0, 1, 0]), action]))
        np.testing.assert_array_equal(states[1], alone.step(action)[0])
    envs.close()


def test_copies_keep_their_arguments():
    env = CarRacingV0(state_rows=84, light_grass=230)
    env.reset(seed=1)
    for again in (copy.copy(env), copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert (again.state_rows, again.light_grass) == (84, 230)
        np.testing.assert_array_equal(again.reset(seed=0)[0], env.reset(seed=0)[0])


def alone(seed: int) -> np.ndarray:
    env = CarRacingV0()
    env.reset(seed=seed)
    return drive(env, random_actions(seed, 60))


def test_two_environments_take_turns():
    first, second = CarRacingV0(), CarRacingV0()
    first.reset(seed=1), second.reset(seed=2)
    turns = zip(random_actions(1, 60), random_actions(2, 60), strict=True)
    states = np.stack([(first.step(a)[0], second.step(b)[0]) for a, b in turns])
    np.testing.assert_array_equal(states[:, 0], alone(1))
    np.testing.assert_array_equal(states[:, 1], alone(2))


def test_two_environments_in_threads():
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(alone, (1, 2)))
    for seed, states in zip((1, 2), together, strict=True):
        np.testing.assert_array_equal(states, alone(seed))


@pytest.mark.parametrize("rows", [0, 97, -1, 84.5, "84"])
def test_refuses_other_rows(rows):
    with pytest.raises(ValueError, match="state_rows"):
        CarRacingV0(state_rows=rows)


@pytest.mark.parametrize("green", [228, 231, 0, "229", None])
def test_refuses_other_greens(green):
    with pytest.raises(ValueError, match="light_grass"):
        CarRacingV0(light_grass=green)


@pytest.mark.parametrize("argument", ["continuous", "domain_randomize", "lap_complete_percent"])
def test_has_nothing_that_v0_had_not(argument):
    with pytest.raises(TypeError, match=argument):
        CarRacingV0(**{argument: False})
