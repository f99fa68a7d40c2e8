"""Whitened steps: what they do to C's actions, and that C stays the linear policy that it is."""

from replication.config import Controller
from replication.controller.controller import output
from replication.search.cma_es import Evolution
from replication.search.whitening import FLOOR, whitening_of

import numpy as np
import pytest

INPUTS_OF_C, A = 288, 3
RANDOM = np.random.default_rng(0)
SCALE = np.geomspace(3, 0.01, INPUTS_OF_C)
INPUTS = np.linspace(-1, 2, INPUTS_OF_C) + SCALE * RANDOM.standard_normal((4000, INPUTS_OF_C))
INPUTS = INPUTS @ np.linalg.qr(RANDOM.standard_normal((INPUTS_OF_C, INPUTS_OF_C)))[0]


@pytest.fixture(scope="module")
def whitening():
    return whitening_of(INPUTS)


def test_whitened_inputs_are_centred_and_nearly_alike(whitening):
    white = (INPUTS - whitening.mean) @ whitening.root
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-9)
    variance = np.linalg.eigvalsh(np.cov(INPUTS.T))
    np.testing.assert_allclose(
        np.linalg.eigvalsh(np.cov(white.T)), variance / (variance + FLOOR), atol=1e-9
    )


def test_steps_are_weights_of_whitened_inputs(whitening):
    steps = RANDOM.standard_normal((2, 867))
    white = (INPUTS[:50] - whitening.mean) @ whitening.root
    for step, flat in zip(steps, whitening.flat(steps), strict=True):
        wanted = step[:A] + white @ step[A:].reshape(INPUTS_OF_C, A)
        got = output("z_h", np.float32(flat[None]), np.float32(INPUTS[:50]))
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-3)


def test_raw_steps_shift_actions_and_whitened_ones_shape_them(whitening):
    """Of what a step does to C's outputs, how much is the same at every frame."""

    def shifting(steps: np.ndarray) -> float:
        u = np.stack([output("z_h", np.float32(step[None]), np.float32(INPUTS)) for step in steps])
        return (u.mean(axis=1) ** 2).mean() / (u**2).mean()

    steps = RANDOM.standard_normal((20, 867))
    assert shifting(steps) > 0.4
    assert shifting(whitening.flat(steps)) < 0.05


def test_a_whitened_search_is_around_its_start_and_told_again_goes_on(whitening):
    start = RANDOM.standard_normal(867)
    settings = Controller(population=6, sigma=0.05)
    first, again = (Evolution(start, settings, 3, whitening) for _ in range(2))
    np.testing.assert_array_equal(first.mean, start)
    raw = Evolution(np.zeros(867), settings, 3)
    np.testing.assert_allclose(first.ask(), start + whitening.flat(raw.ask()))
    returns = np.arange(6.0)
    first.tell(returns)
    assert not np.array_equal(first.mean, start)
    again.ask()
    again.tell(returns)
    np.testing.assert_array_equal(again.mean, first.mean)
    np.testing.assert_array_equal(again.ask(), first.ask())
