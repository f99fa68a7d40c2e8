"""M's dream: a sample of its mixture, one timeline, rows that do not see each other."""

from replication.rnn.dream import Dreams, draw
from replication.rnn.rnn import mixture

import numpy as np
import pytest
from dreaming import ACTIONS, EXACT_STARTS, HEADS, STARTS, K, Z, by_hand, random_rnn
from scipy.stats import kstest, norm


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
    return mixture(raw.reshape(1, -1), Z, temperature)


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
    z = draw(mixture(raw.reshape(1, -1), Z), np.zeros((1, Z), np.float32), np.zeros((1, Z)))
    np.testing.assert_array_equal(z, np.zeros((1, Z)))


def test_a_forced_component_is_the_only_one():
    raw = np.zeros((2, Z, 3, 3), np.float32)
    raw[:, :, 0] = (5, 0, -99)
    raw[:, :, 1], raw[:, :, 2] = (10, 20, 30), np.log([1, 2, 4])
    uniform = np.float32([np.zeros(Z), np.full(Z, 1 - 2**-24)])
    for component, (mean, sigma) in enumerate(((10, 1), (20, 2), (30, 4))):
        forced = mixture(raw.reshape(2, -1), Z, 0.25, component)
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
    numbers = random.random((count, Z), np.float32), random.standard_normal((count, Z), np.float32)
    z = draw(mixture(np.tile(raw, (count, 1)), Z, temperature), *numbers).numpy()  # (N, Z)
    theirs = mixture(raw, Z, temperature)
    mean, std = theirs.mean().numpy(), theirs.stddev().numpy()
    np.testing.assert_allclose((z.mean(axis=0) - mean) / std, 0, atol=5 / np.sqrt(count))
    np.testing.assert_allclose(z.std(axis=0) / std, 1, atol=0.04)
    at = np.sort(z, axis=0)
    for dimension, cdf in enumerate(theirs.cdf(at).numpy().T):
        assert kstest(cdf, "uniform").pvalue > 1e-5, dimension


# Dreams --------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_a_dream_is_a_loop_over_m(temperature):
    rnn = random_rnn()
    path = dreamt(Dreams(rnn, STARTS, temperature), ACTIONS, 3)[:, 0]
    expected = by_hand(rnn, STARTS, ACTIONS, np.random.default_rng(3), temperature)
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)


def test_a_dream_of_one_component_is_a_loop_over_m():
    rnn = random_rnn()
    path = dreamt(Dreams(rnn, STARTS, component=2), ACTIONS[:6], 3)[:, 0]
    expected = by_hand(rnn, STARTS, ACTIONS[:6], np.random.default_rng(3), component=2)
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)
    for component in (5, -1):
        with pytest.raises(ValueError, match="M has 5"):
            Dreams(rnn, STARTS, component=component)


def test_a_batch_is_as_many_single_dreams():
    rnn, seeds = random_rnn(), (3, 4, 5, 6)
    together = dreamt(Dreams(rnn, STARTS, width=4), ACTIONS, *seeds)  # (T + 1, B, Z)
    for row, seed in enumerate(seeds):
        alone = dreamt(Dreams(rnn, STARTS), ACTIONS, seed)[:, 0]
        np.testing.assert_allclose(together[:, row], alone, rtol=1e-3, atol=1e-4)
    assert np.abs(together[:, 0] - together[:, 1]).max() > 0.1


def test_a_row_begins_anew_and_the_others_go_on():
    rnn = random_rnn()
    dreams = Dreams(rnn, STARTS, width=2)
    dreamt(dreams, ACTIONS[:7], 3, 4)
    dreams.begin(0, np.random.default_rng(5))
    assert not dreams.h[0].any() and not dreams.c[0].any() and dreams.h[1].any()
    for action in ACTIONS[7:12]:
        dreams.step(np.stack([action, action]))
    fresh = dreamt(Dreams(rnn, STARTS), ACTIONS[7:12], 5)[-1, 0]
    undisturbed = dreamt(Dreams(rnn, STARTS), ACTIONS[:12], 4)[-1, 0]
    np.testing.assert_allclose(dreams.z, [fresh, undisturbed], rtol=1e-3, atol=1e-4)


def test_dreams_start_from_every_first_frame():
    mu = EXACT_STARTS.mu
    dreams = Dreams(random_rnn(), EXACT_STARTS, width=100)
    for row in range(100):
        dreams.begin(row, np.random.default_rng(row))
    starts = {int(np.flatnonzero((mu == z).all(axis=1))[0]) for z in dreams.z}
    assert starts == set(range(len(mu)))


def test_heads_change_neither_z_nor_h():
    plain, heads = random_rnn(), random_rnn(HEADS)
    for ours, theirs in ((plain.lstm, heads.lstm), (plain.head, heads.head)):
        theirs.set_weights(ours.get_weights())
    np.testing.assert_array_equal(
        dreamt(Dreams(plain, STARTS), ACTIONS, 3), dreamt(Dreams(heads, STARTS), ACTIONS, 3)
    )


def test_without_heads_nothing_is_earned_and_nothing_ends():
    dreams = Dreams(random_rnn(), STARTS, width=2)
    for action in ACTIONS:
        reward, ended = dreams.step(np.stack([action, action]))
        assert reward.tolist() == [0, 0] and ended.tolist() == [False, False]


def test_the_reward_is_ms_mean_at_the_next_h():
    rnn = random_rnn(HEADS)
    rnn.heads["reward"].kernel.assign(np.linspace(-3, 3, 16)[:, None])
    dreams = Dreams(rnn, STARTS)
    dreams.begin(0, np.random.default_rng(0))
    for action in ACTIONS[:5]:
        reward, _ = dreams.step(action[None])
        np.testing.assert_allclose(reward, dreams.h @ np.linspace(-3, 3, 16), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("probability", [0.0, 0.2, 1.0])
def test_dreams_end_as_often_as_m_says(probability):
    rnn = random_rnn(HEADS)
    rnn.heads["termination"].kernel.assign(np.zeros((16, 1)))
    with np.errstate(divide="ignore"):
        logit = np.clip(np.log(probability) - np.log1p(-probability), -100, 100)
    rnn.heads["termination"].bias.assign([logit])
    dreams = Dreams(rnn, STARTS, width=1000)
    ended = np.mean([dreams.step(np.zeros((1000, 3)))[1] for _ in range(4)])
    assert ended == pytest.approx(probability, abs=0.03 if 0 < probability < 1 else 0)


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_temperatures_are_positive(temperature):
    with pytest.raises(ValueError, match="must be positive"):
        Dreams(random_rnn(), STARTS, temperature)


def test_a_start_may_have_a_memory():
    """Dreams that branch off a drive: h and c of M there, and the z that was seen, exactly."""
    random, rnn = np.random.default_rng(1), random_rnn()
    h, c = (random.standard_normal((7, 16), np.float32) for _ in range(2))
    starts = EXACT_STARTS._replace(h=h, c=c)
    dreams = Dreams(rnn, starts)
    path = dreamt(dreams, ACTIONS[:6], 3)[:, 0]
    expected = by_hand(rnn, starts, ACTIONS[:6], np.random.default_rng(3))
    np.testing.assert_allclose(path, expected, rtol=1e-3, atol=1e-4)
    dreams.begin(0, np.random.default_rng(3))
    (start,) = np.flatnonzero((starts.mu == dreams.z[0]).all(axis=1))
    np.testing.assert_array_equal(dreams.h[0], h[start])
    np.testing.assert_array_equal(dreams.c[0], c[start])
