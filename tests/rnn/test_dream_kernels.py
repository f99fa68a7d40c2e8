"""The arithmetic of dreams: against NumPy, SciPy and TFP, and the same for every row."""

from replication.rnn import dream_kernels as kernels
from replication.rnn.dream_kernels import LANES
from replication.rnn.rnn import mixture

import numba
import numpy as np
import pytest
from dreaming import K, Z, bits_by_hand, numbers_by_hand
from scipy.special import expit
from scipy.stats import kstest, norm


def applied(function, x) -> np.ndarray:
    """A compiled function of a number, on an array."""

    @numba.njit
    def loop(x):
        y = np.empty_like(x)
        for i in range(len(x)):
            y[i] = function(x[i])
        return y

    return loop(np.float32(x))


# Functions -----------------------------------------------------------------------------------


def test_exp_log_and_cos_are_those_of_numpy():
    x = np.linspace(-86, 87, 20_001, dtype=np.float32)
    np.testing.assert_allclose(applied(kernels.exp, x), np.exp(np.float64(x)), rtol=2e-7)
    tiny = np.geomspace(2**-24, 1, 20_001).astype(np.float32)
    np.testing.assert_allclose(applied(kernels.log, tiny), np.log(np.float64(tiny)), atol=1e-6)
    turns = np.linspace(0, 1, 20_001, dtype=np.float32)
    expected = np.cos(2 * np.pi * np.float64(turns))
    np.testing.assert_allclose(applied(kernels.cos_turns, turns), expected, atol=3e-7)


def test_sigmoid_and_tanh_hold_at_the_ends():
    x = np.float32([-1e30, -200, -3, -1e-3, 0, 1e-3, 2, 200, 1e30])
    np.testing.assert_allclose(applied(kernels.sigmoid, x), expit(np.float64(x)), atol=1e-7)
    np.testing.assert_allclose(applied(kernels.tanh, x), np.tanh(np.float64(x)), atol=2e-7)


# Random numbers ------------------------------------------------------------------------------


def numbers(keys, step: int, size: int = Z) -> tuple[np.ndarray, np.ndarray]:
    """uniform (G, Z + 1, LANES) and noise (G, Z, LANES) of a step."""
    keys = np.asarray(keys, np.uint64).reshape(-1, LANES)
    uniform = np.zeros((len(keys), size + 1, LANES), np.float32)
    noise = np.zeros((len(keys), size, LANES), np.float32)
    kernels.random_numbers(keys, np.full_like(keys, step), uniform, noise)
    return uniform, noise


@pytest.mark.parametrize("step", [0, 1, 2100])
def test_random_numbers_follow_from_key_and_step(step):
    keys = np.random.default_rng(0).integers(2**64, size=2 * LANES, dtype=np.uint64)
    uniform, noise = numbers(keys, step)
    for row in (0, 5, LANES, 2 * LANES - 1):
        at = divmod(row, LANES)
        expected = numbers_by_hand(int(keys[row]), step)
        np.testing.assert_allclose(uniform[at[0], :, at[1]], expected[0], rtol=1e-6)
        np.testing.assert_allclose(noise[at[0], :, at[1]], expected[1], atol=1e-5)


def test_splitmix64_gives_its_published_numbers():
    """The first three of seed 1234567, of the Rosetta Code task on this generator."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [bits_by_hand(1234567, count) for count in range(3)] == published


def test_noise_is_normal_and_uniform_is_uniform():
    keys = np.random.default_rng(1).integers(2**64, size=64 * LANES, dtype=np.uint64)
    uniform, noise = numbers(keys, 3)
    assert kstest(noise.ravel(), "norm").pvalue > 1e-4
    assert kstest(uniform.ravel(), "uniform").pvalue > 1e-4
    assert uniform.min() >= 0 and uniform.max() < 1 and np.abs(noise).max() < 5.8
    flat = np.concatenate([uniform, noise], axis=1).swapaxes(0, 1).reshape(2 * Z + 1, -1)
    between = np.corrcoef(flat) - np.eye(2 * Z + 1)
    assert np.abs(between).max() < 5 / np.sqrt(flat.shape[1])


# The LSTM's cell -----------------------------------------------------------------------------


def test_the_cell_is_that_of_the_book():
    random = np.random.default_rng(0)
    gates = np.float32(3 * random.standard_normal((2, 4 * 6, LANES)))
    h, c = (random.standard_normal((2, 6, LANES), np.float32) for _ in range(2))
    enter, forget, cell, leave = np.split(np.float64(gates), 4, axis=1)
    kept = expit(forget) * c + expit(enter) * np.tanh(cell)
    kernels.lstm_cell(gates, h, c)
    np.testing.assert_allclose(c, kept, atol=1e-6)
    np.testing.assert_allclose(h, expit(leave) * np.tanh(kept), atol=1e-6)


# A draw from the mixture ---------------------------------------------------------------------


def draw(raw, uniform, noise, temperature: float = 1.0, component: int = -1) -> np.ndarray:
    """z (B, Z) of raw (B, 3, K, Z), uniform and noise (B, Z), in blocks of LANES as in dreams."""
    rows, _, mixtures, size = raw.shape
    blocks = -(-rows // LANES)

    def in_blocks(values) -> np.ndarray:
        padded = np.zeros((blocks * LANES, *values.shape[1:]), np.float32)
        padded[:rows] = values
        padded = padded.reshape(blocks, LANES, -1)
        return np.ascontiguousarray(padded.swapaxes(1, 2))

    z = np.zeros((blocks, size, LANES), np.float32)
    kernels.draw_z(
        in_blocks(raw), in_blocks(uniform), in_blocks(noise), temperature, component,
        np.zeros((mixtures + 2, size * LANES), np.float32), z,
    )  # fmt: skip
    return z.swapaxes(1, 2).reshape(-1, size)[:rows]


def three_gaussians(rows: int = 1) -> np.ndarray:
    """Weights 1/2, 1/4, 1/4, means 10, 20, 30, standard deviations 1, 2, 4 in each dimension."""
    raw = np.zeros((rows, 3, 3, Z), np.float32)
    raw[:, 0] = np.log([2, 1, 1])[:, None]
    raw[:, 1], raw[:, 2] = np.array([[10], [20], [30]]), np.log([[1], [2], [4]])
    return raw


@pytest.mark.parametrize(
    ("uniform", "mean", "sigma"),
    [(0, 10, 1), (0.49, 10, 1), (0.51, 20, 2), (0.74, 20, 2), (0.76, 30, 4), (0.9999, 30, 4)],
)
def test_uniform_chooses_the_component_and_noise_the_value(uniform, mean, sigma):
    noise = np.linspace(-2, 2, Z, dtype=np.float32)[None]
    z = draw(three_gaussians(), np.full((1, Z), uniform), noise)
    np.testing.assert_allclose(z, mean + sigma * noise, rtol=1e-5)


def test_temperature_sharpens_weights_and_narrows_values():
    """At 1/2 the weights 2 : 1 : 1 become 4 : 1 : 1, and a deviation is the root of 1/2 as wide."""
    one = np.ones((1, Z))
    for uniform, mean, sigma in ((0.66, 10, 1), (0.67, 20, 2), (0.84, 30, 4)):
        z = draw(three_gaussians(), uniform * one, one, 0.5)
        np.testing.assert_allclose(z, mean + sigma * np.sqrt(0.5) * one, rtol=1e-5)


def test_a_component_without_weight_is_never_drawn():
    raw = np.zeros((1, 3, 2, Z), np.float32)
    raw[:, 0, 0], raw[:, 1, 0] = -200, 99
    z = draw(raw, np.zeros((1, Z)), np.zeros((1, Z)))
    np.testing.assert_array_equal(z, np.zeros((1, Z)))


def test_a_forced_component_is_the_only_one():
    uniform = np.float32([np.zeros(Z), np.full(Z, 1 - 2**-24)])
    for component, (mean, sigma) in enumerate(((10, 1), (20, 2), (30, 4))):
        z = draw(three_gaussians(2), uniform, np.ones((2, Z)), 0.25, component)
        np.testing.assert_allclose(z, mean + sigma * 0.5, rtol=1e-5)  # the temperature still acts


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.3])
def test_samples_are_those_of_the_distribution(temperature):
    count, random = 20_000, np.random.default_rng(0)
    raw = np.float32(random.standard_normal((Z, 3, K)))
    numbers = random.random((count, Z), np.float32), random.standard_normal((count, Z), np.float32)
    ours = np.broadcast_to(raw.transpose(1, 2, 0), (count, 3, K, Z))
    z = draw(ours, *numbers, temperature)  # (N, Z)
    theirs = mixture(raw.reshape(-1), Z, temperature)
    mean, std = theirs.mean().numpy(), theirs.stddev().numpy()
    np.testing.assert_allclose((z.mean(axis=0) - mean) / std, 0, atol=5 / np.sqrt(count))
    np.testing.assert_allclose(z.std(axis=0) / std, 1, atol=0.04)
    for dimension, cdf in enumerate(theirs.cdf(np.sort(z, axis=0)).numpy().T):
        assert kstest(cdf, "uniform").pvalue > 1e-5, dimension


def test_tfps_forced_component_has_the_same_likelihood():
    raw = np.zeros((Z, 3, 3), np.float32)
    raw[:, 0], raw[:, 1], raw[:, 2] = (5, 0, -99), (10, 20, 30), np.log([1, 2, 4])
    for component, (mean, sigma) in enumerate(((10, 1), (20, 2), (30, 4))):
        forced = mixture(raw.reshape(-1), Z, 0.25, component)
        expected = norm.logpdf(17, mean, sigma * 0.5)
        log_prob = forced.log_prob(np.full(Z, 17, np.float32))
        np.testing.assert_allclose(log_prob, np.full(Z, expected), rtol=1e-5)


# All rows alike ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1024, 291), (481, 256), (2048, 578), (961, 512)])
def test_products_of_a_block_treat_all_rows_alike(shape):
    """What Dreams relies on, of OpenBLAS: whatever a row's place, its sums are made in one way."""
    random = np.random.default_rng(0)
    weight = random.standard_normal(shape, np.float32)
    rows = random.standard_normal((shape[1], 5 * LANES), np.float32)

    def product(order) -> np.ndarray:
        blocks = np.ascontiguousarray(rows[:, order].reshape(shape[1], 5, LANES).swapaxes(0, 1))
        return np.matmul(weight, blocks).swapaxes(0, 1).reshape(shape[0], -1)

    order = random.permutation(5 * LANES)
    np.testing.assert_array_equal(product(order), product(np.arange(5 * LANES))[:, order])
