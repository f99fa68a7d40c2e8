"""The dream as an environment: M's own step and mixture, one timeline, equal seeds."""

import functools
import warnings

from replication.envs.dream import DreamEnv, Dreams, decode, draw
from replication.rnn.rnn import mixture
from replication.tf import keras
from replication.vae.vae import build_decoder, sample_z

import gymnasium
import numpy as np
import pytest
from dreaming import ACTIONS, HEADS, SMALL, STARTS, K, Z, by_hand, made
from gymnasium.utils.env_checker import check_env
from scipy.stats import kstest, norm


@pytest.fixture(scope="module")
def decoder():
    keras.utils.set_random_seed(0)
    return build_decoder()


def dreamt(dreams: Dreams, actions, *seeds: int) -> np.ndarray:
    """z (T + 1, B, Z) of a dream for each seed, all under the same actions."""
    for row, seed in enumerate(seeds):
        dreams.begin(row, np.random.default_rng(seed))
    path = [dreams.z.copy()]
    for action in actions:
        dreams.step(np.tile(action, (len(seeds), 1)))
        path.append(dreams.z.copy())
    return np.stack(path)


# A sample of the mixture ---------------------------------------------------------------------


def three_gaussians(temperature: float = 1.0):
    """Weights 1/2, 1/4, 1/4, means 10, 20, 30, standard deviations 1, 2, 4 in each dimension."""
    raw = np.zeros((1, Z, 3, 3), np.float32)
    raw[:, :, 0] = np.log([2, 1, 1])
    raw[:, :, 1], raw[:, :, 2] = (10, 20, 30), np.log([1, 2, 4])
    return mixture(raw.reshape(1, -1), temperature)


@pytest.mark.parametrize(
    ("uniform", "mean", "sigma"),
    [(0, 10, 1), (0.49, 10, 1), (0.51, 20, 2), (0.74, 20, 2), (0.76, 30, 4), (0.9999, 30, 4)],
)
def test_uniform_chooses_the_component_and_noise_the_value(uniform, mean, sigma):
    noise = np.linspace(-2, 2, Z, dtype=np.float32)[None]
    z = draw(three_gaussians(), np.full((1, Z), uniform, np.float32), noise)
    np.testing.assert_allclose(z, mean + sigma * noise, rtol=1e-5)


def test_temperature_sharpens_weights_and_narrows_values():
    """At 1/2 the weights 2 : 1 : 1 become 4 : 1 : 1, and a deviation is the root of 1/2 as wide."""
    one = np.ones((1, Z), np.float32)
    for uniform, mean, sigma in ((0.66, 10, 1), (0.67, 20, 2), (0.84, 30, 4)):
        z = draw(three_gaussians(0.5), uniform * one, one)
        np.testing.assert_allclose(z, mean + sigma * np.sqrt(0.5) * one, rtol=1e-5)


def test_a_component_without_weight_is_never_drawn():
    raw = np.zeros((1, Z, 3, 2), np.float32)
    raw[:, :, 0, 0], raw[:, :, 1, 0] = -200, 99
    z = draw(mixture(raw.reshape(1, -1)), np.zeros((1, Z), np.float32), np.zeros((1, Z)))
    np.testing.assert_array_equal(z, np.zeros((1, Z)))


def test_a_forced_component_is_the_only_one():
    raw = np.zeros((2, Z, 3, 3), np.float32)
    raw[:, :, 0] = (5, 0, -99)
    raw[:, :, 1], raw[:, :, 2] = (10, 20, 30), np.log([1, 2, 4])
    uniform = np.float32([np.zeros(Z), np.full(Z, 1 - 2**-24)])
    for component, (mean, sigma) in enumerate(((10, 1), (20, 2), (30, 4))):
        forced = mixture(raw.reshape(2, -1), 0.25, component)
        weights = forced.mixture_distribution.probs_parameter().numpy()
        np.testing.assert_array_equal(weights, np.broadcast_to(np.eye(3)[component], (2, Z, 3)))
        z = draw(forced, uniform, np.ones((2, Z), np.float32))
        np.testing.assert_allclose(z, mean + sigma * 0.5, rtol=1e-5)  # the temperature still acts
        expected = norm.logpdf(17, mean, sigma * 0.5)
        log_prob = forced.log_prob(np.full((2, Z), 17, np.float32))
        np.testing.assert_allclose(log_prob, expected, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.3])
def test_samples_are_those_of_the_distribution(temperature):
    count, random = 20_000, np.random.default_rng(0)
    raw = np.float32(random.standard_normal(Z * 3 * K))
    given = random.random((count, Z), np.float32), random.standard_normal((count, Z), np.float32)
    z = draw(mixture(np.tile(raw, (count, 1)), temperature), *given).numpy()  # (N, Z)
    theirs = mixture(raw, temperature)
    mean, std = theirs.mean().numpy(), theirs.stddev().numpy()
    np.testing.assert_allclose((z.mean(axis=0) - mean) / std, 0, atol=5 / np.sqrt(count))
    np.testing.assert_allclose(z.std(axis=0) / std, 1, atol=0.04)
    at = np.sort(z, axis=0)
    for dimension, cdf in enumerate(theirs.cdf(at).numpy().T):
        assert kstest(cdf, "uniform").pvalue > 1e-5, dimension


# Dreams --------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_a_dream_is_a_loop_over_m(temperature):
    rnn = made()
    found = dreamt(Dreams(rnn, *STARTS, temperature), ACTIONS, 3)[:, 0]
    expected = by_hand(rnn, STARTS, ACTIONS, 3, temperature)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_a_dream_of_one_component_is_a_loop_over_m():
    rnn = made()
    found = dreamt(Dreams(rnn, *STARTS, component=2), ACTIONS[:6], 3)[:, 0]
    expected = by_hand(rnn, STARTS, ACTIONS[:6], 3, component=2)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    env = DreamEnv(rnn, *STARTS, component=2)
    assert env.dreams.component == 2
    for component in (5, -1):
        with pytest.raises(ValueError, match="M has 5"):
            Dreams(rnn, *STARTS, component=component)


def test_a_batch_is_as_many_single_dreams():
    rnn, seeds = made(), (3, 4, 5, 6)
    together = dreamt(Dreams(rnn, *STARTS, width=4), ACTIONS, *seeds)  # (T + 1, B, Z)
    for row, seed in enumerate(seeds):
        alone = dreamt(Dreams(rnn, *STARTS), ACTIONS, seed)[:, 0]
        np.testing.assert_allclose(together[:, row], alone, rtol=1e-3, atol=1e-4)
    assert np.abs(together[:, 0] - together[:, 1]).max() > 0.1


def test_a_row_begins_anew_and_the_others_go_on():
    rnn = made()
    dreams = Dreams(rnn, *STARTS, width=2)
    dreamt(dreams, ACTIONS[:7], 3, 4)
    dreams.begin(0, np.random.default_rng(5))
    assert not dreams.h[0].any() and not dreams.c[0].any() and dreams.h[1].any()
    for action in ACTIONS[7:12]:
        dreams.step(np.stack([action, action]))
    fresh = dreamt(Dreams(rnn, *STARTS), ACTIONS[7:12], 5)[-1, 0]
    gone_on = dreamt(Dreams(rnn, *STARTS), ACTIONS[:12], 4)[-1, 0]
    np.testing.assert_allclose(dreams.z, [fresh, gone_on], rtol=1e-3, atol=1e-4)


def test_dreams_start_from_every_first_frame():
    mu, _ = STARTS
    dreams = Dreams(made(), mu, np.full_like(mu, -200), width=100)
    for row in range(100):
        dreams.begin(row, np.random.default_rng(row))
    found = {int(np.flatnonzero((mu == z).all(axis=1))[0]) for z in dreams.z}
    assert found == set(range(len(mu)))


def test_heads_change_neither_z_nor_h():
    plain, heads = made(), made(HEADS)
    for ours, theirs in ((plain.lstm, heads.lstm), (plain.head, heads.head)):
        theirs.set_weights(ours.get_weights())
    np.testing.assert_array_equal(
        dreamt(Dreams(plain, *STARTS), ACTIONS, 3), dreamt(Dreams(heads, *STARTS), ACTIONS, 3)
    )


def test_without_heads_nothing_is_earned_and_nothing_ends():
    dreams = Dreams(made(), *STARTS, width=2)
    for action in ACTIONS:
        reward, ended = dreams.step(np.stack([action, action]))
        assert reward.tolist() == [0, 0] and ended.tolist() == [False, False]


def test_the_reward_is_ms_mean_at_the_next_h():
    rnn = made(HEADS)
    rnn.reward_head.kernel.assign(np.linspace(-3, 3, 16)[:, None])
    dreams = Dreams(rnn, *STARTS)
    dreams.begin(0, np.random.default_rng(0))
    for action in ACTIONS[:5]:
        reward, _ = dreams.step(action[None])
        np.testing.assert_allclose(reward, dreams.h @ np.linspace(-3, 3, 16), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("probability", [0.0, 0.2, 1.0])
def test_dreams_end_as_often_as_m_says(probability):
    rnn = made(HEADS)
    rnn.end_head.kernel.assign(np.zeros((16, 1)))
    with np.errstate(divide="ignore"):
        logit = np.clip(np.log(probability) - np.log1p(-probability), -100, 100)
    rnn.end_head.bias.assign([logit])
    dreams = Dreams(rnn, *STARTS, width=1000)
    ended = np.mean([dreams.step(np.zeros((1000, 3)))[1] for _ in range(4)])
    assert ended == pytest.approx(probability, abs=0.03 if 0 < probability < 1 else 0)


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_temperatures_are_positive(temperature):
    with pytest.raises(ValueError, match="must be positive"):
        Dreams(made(), *STARTS, temperature)


# The environment -----------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("config", [SMALL, HEADS])
def test_gymnasium_accepts_it(decoder, frames, config):
    make = functools.partial(DreamEnv, made(config), *STARTS, decoder, frames)
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
    env = DreamEnv(made(), *STARTS)
    car = gymnasium.spaces.Box(np.float32([-1, 0, 0]), np.float32([1, 1, 1]))
    assert env.action_space == car
    assert env.observation_space.shape == (32,) and env.observation_space.dtype == np.float32
    pixels = DreamEnv(made(), *STARTS, decoder, frames=True).observation_space
    assert pixels == gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="decoder"):
        DreamEnv(made(), *STARTS, frames=True)


def episode(env: gymnasium.Env, actions, seed: int | None) -> np.ndarray:
    return np.stack([env.reset(seed=seed)[0], *(env.step(action)[0] for action in actions)])


def test_equal_seeds_give_equal_dreams():
    env = DreamEnv(made(), *STARTS)
    first = episode(env, ACTIONS, 3)
    following = episode(env, ACTIONS, None)
    np.testing.assert_array_equal(episode(env, ACTIONS, 3), first)
    np.testing.assert_array_equal(episode(env, ACTIONS, None), following)
    other = DreamEnv(made(), *STARTS)
    np.testing.assert_array_equal(episode(other, ACTIONS, 3), first)
    assert (episode(env, ACTIONS, 4) != first).any() and (following != first).any()


def test_the_environment_is_a_single_dream(decoder):
    rnn = made()
    random, _ = gymnasium.utils.seeding.np_random(3)
    dreams = Dreams(rnn, *STARTS, 0.7)
    dreams.begin(0, random)
    expected = [dreams.z.copy()]
    for action in ACTIONS:
        dreams.step(action[None])
        expected.append(dreams.z.copy())
    expected = np.concatenate(expected)
    found = episode(DreamEnv(rnn, *STARTS, temperature=0.7), ACTIONS, 3)
    np.testing.assert_array_equal(found, expected)
    seen = DreamEnv(rnn, *STARTS, decoder, True, 0.7, render_mode="rgb_array")
    frames = episode(seen, ACTIONS, 3)
    np.testing.assert_allclose(frames, np.round(decoder(expected) * 255.0), atol=1)
    np.testing.assert_array_equal(seen.render(), frames[-1])


def test_observations_are_not_overwritten():
    env = DreamEnv(made(), *STARTS)
    first, _ = env.reset(seed=0)
    kept = first.copy()
    env.step(ACTIONS[0])
    np.testing.assert_array_equal(first, kept)


def test_decoding_in_parts_is_decoding_at_once(decoder):
    z = np.random.default_rng(0).standard_normal((7, Z), np.float32)
    np.testing.assert_allclose(
        decode(decoder, z, 3).astype(int), decode(decoder, z).astype(int), atol=1
    )
    assert decode(decoder, z).dtype == np.uint8
    mu, logvar = z[:1], np.full((1, Z), -200.0, np.float32)
    np.testing.assert_array_equal(sample_z(mu, logvar, z[1:2]), mu)
