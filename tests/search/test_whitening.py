"""Whitened steps: what they do to C's actions, and that C stays the linear policy that it is."""

import dataclasses

from replication.config import Controller as Settings
from replication.config import UserError
from replication.controller.controller import LinearPolicy
from replication.search.cma_es import Evolution
from replication.search.whitening import FLOOR, load_whitening, save_whitening, whitening_of
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
import pytest

INPUTS_OF_C, A = 288, 3
C = LinearPolicy("z_h", CAR_RACING_V3)
NO_BIAS = dataclasses.replace(CAR_RACING_V3, bias=False)
RANDOM = np.random.default_rng(0)
SCALE = np.geomspace(3, 0.01, INPUTS_OF_C)
INPUTS = np.linspace(-1, 2, INPUTS_OF_C) + SCALE * RANDOM.standard_normal((4000, INPUTS_OF_C))
INPUTS = INPUTS @ np.linalg.qr(RANDOM.standard_normal((INPUTS_OF_C, INPUTS_OF_C)))[0]


@pytest.fixture(scope="module")
def whitening():
    return whitening_of(INPUTS, CAR_RACING_V3)


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
        got = C.output(np.float32(flat[None]), np.float32(INPUTS[:50]))
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-3)


def test_raw_steps_shift_actions_and_whitened_ones_shape_them(whitening):
    """Of what a step does to C's outputs, how much is the same at every frame."""

    def shifting(steps: np.ndarray) -> float:
        u = np.stack([C.output(np.float32(step[None]), np.float32(INPUTS)) for step in steps])
        return (u.mean(axis=1) ** 2).mean() / (u**2).mean()

    steps = RANDOM.standard_normal((20, 867))
    assert shifting(steps) > 0.4
    assert shifting(whitening.flat(steps)) < 0.05


def test_a_whitened_search_is_around_its_start_and_is_restored_by_its_returns(whitening):
    start = RANDOM.standard_normal(867)
    settings = Settings(population=6, sigma=0.05)
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


def test_a_c_without_biases_has_inputs_that_are_not_centred():
    """Nothing could undo the shift: whitening is a matrix alone, of the second moments."""
    whitening = whitening_of(INPUTS, NO_BIAS)
    assert not whitening.mean.any()
    moments = INPUTS.T @ INPUTS / len(INPUTS)
    white = whitening.root.T @ moments @ whitening.root
    moments = np.linalg.eigvalsh(moments)
    np.testing.assert_allclose(np.linalg.eigvalsh(white), moments / (moments + FLOOR), atol=1e-9)
    step = RANDOM.standard_normal(INPUTS_OF_C * A)
    (flat,) = whitening.flat(step[None])
    assert flat.shape == step.shape
    expected = INPUTS[:50] @ whitening.root @ step.reshape(INPUTS_OF_C, A)
    c = LinearPolicy("z_h", NO_BIAS)
    outputs = c.output(np.float32(flat[None]), np.float32(INPUTS[:50]))
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-3)


def test_a_whitening_is_read_back_exactly(whitening, home):
    path = home / "whitening.npz"
    save_whitening(whitening, path)
    loaded = load_whitening(path, INPUTS_OF_C, CAR_RACING_V3)
    np.testing.assert_array_equal(loaded.mean, whitening.mean)
    np.testing.assert_array_equal(loaded.root, whitening.root)
    with pytest.raises(UserError, match=r"^whitening\.npz cannot be read \(it is not of 32 inputs"):
        load_whitening(path, 32, CAR_RACING_V3)
    np.savez(path, mean=whitening.mean * np.nan, root=whitening.root)
    with pytest.raises(UserError, match="not all of it is finite"):
        load_whitening(path, INPUTS_OF_C, CAR_RACING_V3)
