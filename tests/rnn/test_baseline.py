"""What the next z costs without M, against SciPy and against series of a known kind."""

from replication.rnn.baseline import Baselines, fit_baselines, measure_baselines

import numpy as np
import pytest
from scipy.stats import norm

Z = 8


def batch_of(z: np.ndarray, weight: np.ndarray | None = None, logvar: float = -60.0) -> dict:
    """A batch as gather makes it, z (B, T+1, Z) without noise."""
    weight = np.ones(z.shape[:2])[:, 1:] if weight is None else weight
    return {
        "mu": np.float32(z),
        "logvar": np.full(z.shape, logvar, np.float32),
        "noise": np.zeros(z.shape, np.float32),
        "weight": np.float32(weight),
    }


def test_values_against_scipy():
    random = np.random.default_rng(0)
    z = np.cumsum(random.normal(0, 0.3, (2, 6, Z)), axis=1)
    weight = np.float32([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    z[1, 3:] = 99  # padding
    baselines = Baselines(*random.uniform(0.1, 1, (4, Z)).astype(np.float32))
    values = measure_baselines(baselines, batch_of(z, weight, logvar=-1.0))
    before, after = z[:, :-1][weight == 1], z[:, 1:][weight == 1]
    persistence = -norm.logpdf(after, before, baselines.step_sigma).mean()
    guess = baselines.slope * before + baselines.offset
    assert values["baseline_nll"] == pytest.approx(persistence, rel=1e-5)
    ar1 = -norm.logpdf(after, guess, baselines.sigma).mean()
    assert values["ar1_nll"] == pytest.approx(ar1, rel=1e-5)
    assert values["floor_nll"] == pytest.approx(norm(0, np.exp(-0.5)).entropy(), rel=1e-5)


def test_of_noise_alone_persistence_pays_half_of_ln_2_too_much():
    """A dimension that V does not use: z ~ N(0, 1) at each step. AR(1) stands at the floor."""
    z = np.random.default_rng(1).standard_normal((4, 20_001, Z))
    batch = batch_of(z, logvar=0.0)
    values = measure_baselines(fit_baselines(batch), batch)
    floor = 0.5 * np.log(2 * np.pi * np.e)
    assert values["floor_nll"] == pytest.approx(floor, rel=1e-6)
    assert values["ar1_nll"] == pytest.approx(floor, abs=0.01)
    assert values["baseline_nll"] == pytest.approx(floor + 0.5 * np.log(2), abs=0.01)


def test_an_autoregression_is_found_and_padding_does_not_count():
    random = np.random.default_rng(2)
    slope, offset, sigma = np.linspace(0.2, 0.9, Z), np.linspace(-1, 1, Z), np.linspace(0.1, 1, Z)
    z = np.zeros((3, 5001, Z))
    for step in range(5000):
        z[:, step + 1] = slope * z[:, step] + offset + sigma * random.standard_normal((3, Z))
    weight = np.ones((3, 5000))
    z[2, 2001:], weight[2, 2000:] = 99, 0
    fitted = fit_baselines(batch_of(z, weight))
    np.testing.assert_allclose(fitted.slope, slope, atol=0.05)
    np.testing.assert_allclose(fitted.sigma, sigma, rtol=0.05)
    np.testing.assert_allclose(fitted.offset, offset, atol=0.12)
