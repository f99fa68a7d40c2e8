"""The dream as an environment: a single dream of M, seen as z or as V's frames, equal seeds."""

import functools
import warnings

from replication.envs.dream import DreamEnv
from replication.rnn.dream import Dreams
from replication.tf import keras
from replication.vae.vae import build_decoder, decode, sample_z

import gymnasium
import numpy as np
import pytest
from dreaming import ACTIONS, HEADS, SMALL, STARTS, Z, random_rnn
from gymnasium.utils.env_checker import check_env


@pytest.fixture(scope="module")
def decoder():
    keras.utils.set_random_seed(0)
    return build_decoder(Z)


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("config", [SMALL, HEADS])
def test_gymnasium_accepts_it(decoder, frames, config):
    make = functools.partial(DreamEnv, random_rnn(config), *STARTS[:2], decoder, frames)
    gymnasium.register("test/Dream-v0", make, max_episode_steps=3)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            unlike = "infinity|symmetric"  # z has no bounds; the actions are the car's
            warnings.filterwarnings("ignore", message=f".*({unlike})")
            check_env(gymnasium.make("test/Dream-v0", render_mode="rgb_array").unwrapped)
        env = gymnasium.make("test/Dream-v0")
    finally:
        del gymnasium.registry["test/Dream-v0"]
    env.reset(seed=0)
    ends = [env.step(env.action_space.sample())[3] for _ in range(3)]
    assert ends == [False, False, True]  # TimeLimit's


def test_spaces_are_the_cars_and_zs(decoder):
    env = DreamEnv(random_rnn(), *STARTS[:2])
    car = gymnasium.spaces.Box(np.float32([-1, 0, 0]), np.float32([1, 1, 1]))
    assert env.action_space == car
    assert env.observation_space.shape == (32,) and env.observation_space.dtype == np.float32
    pixels = DreamEnv(random_rnn(), *STARTS[:2], decoder, frames=True).observation_space
    assert pixels == gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="decoder"):
        DreamEnv(random_rnn(), *STARTS[:2], frames=True)


def episode(env: gymnasium.Env, actions, seed: int | None) -> np.ndarray:
    return np.stack([env.reset(seed=seed)[0], *(env.step(action)[0] for action in actions)])


def test_equal_seeds_give_equal_dreams():
    env = DreamEnv(random_rnn(), *STARTS[:2])
    first = episode(env, ACTIONS, 3)
    following = episode(env, ACTIONS, None)
    np.testing.assert_array_equal(episode(env, ACTIONS, 3), first)
    np.testing.assert_array_equal(episode(env, ACTIONS, None), following)
    other = DreamEnv(random_rnn(), *STARTS[:2])
    np.testing.assert_array_equal(episode(other, ACTIONS, 3), first)
    assert (episode(env, ACTIONS, 4) != first).any() and (following != first).any()


def test_the_environment_is_a_single_dream(decoder):
    rnn = random_rnn()
    random, _ = gymnasium.utils.seeding.np_random(3)
    dreams = Dreams(rnn, STARTS, 0.7)
    dreams.begin(0, int(random.integers(2**64, dtype=np.uint64)))
    expected = [dreams.z.copy()]
    for action in ACTIONS:
        dreams.step(action[None])
        expected.append(dreams.z.copy())
    expected = np.concatenate(expected)
    ours = episode(DreamEnv(rnn, *STARTS[:2], temperature=0.7), ACTIONS, 3)
    np.testing.assert_array_equal(ours, expected)
    seen = DreamEnv(rnn, *STARTS[:2], decoder, True, 0.7, render_mode="rgb_array")
    frames = episode(seen, ACTIONS, 3)
    np.testing.assert_allclose(frames, np.round(decoder(expected) * 255.0), atol=1)
    np.testing.assert_array_equal(seen.render(), frames[-1])


def test_rewards_ends_and_the_component_are_the_dreams():
    rnn = random_rnn(HEADS)
    rnn.heads["termination"].bias.assign([100.0])
    env, dreams = DreamEnv(rnn, *STARTS[:2], component=2), Dreams(rnn, STARTS, component=2)
    env.reset(seed=3)
    dreams.begin(0, int(gymnasium.utils.seeding.np_random(3)[0].integers(2**64, dtype=np.uint64)))
    z, reward, terminated, truncated, _ = env.step(ACTIONS[0])
    expected = dreams.step(ACTIONS[:1])
    np.testing.assert_array_equal(z, dreams.z[0])
    assert ([reward], truncated) == (expected["reward"].tolist(), False)
    assert terminated and reward


def test_observations_are_not_overwritten():
    env = DreamEnv(random_rnn(), *STARTS[:2])
    first, _ = env.reset(seed=0)
    before = first.copy()
    env.step(ACTIONS[0])
    np.testing.assert_array_equal(first, before)


def test_decoding_in_parts_is_decoding_at_once(decoder):
    z = np.random.default_rng(0).standard_normal((7, Z), np.float32)
    np.testing.assert_allclose(
        decode(decoder, z, 3).astype(int), decode(decoder, z).astype(int), atol=1
    )
    assert decode(decoder, z).dtype == np.uint8
    mu, logvar = z[:1], np.full((1, Z), -200.0, np.float32)
    np.testing.assert_array_equal(sample_z(mu, logvar, z[1:2]), mu)
