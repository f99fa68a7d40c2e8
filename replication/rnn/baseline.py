"""What guessing the next z costs without M, and the least that it can cost: M stands between them.

z_{t+1} carries V's own noise, which nobody can foresee: its entropy is the floor. A dimension that
V does not use is nothing but noise. There N(z_t, s) pays for it twice, half of ln 2 too much, and
AR(1) knows better: the next z does not depend on the last one.
"""

from dataclasses import dataclass

from replication.rnn.batches import draw_z
from replication.tf import tfp

import numpy as np

Normal = tfp.distributions.Normal


@dataclass(frozen=True)
class Baselines:
    """Guesses of each dimension alone, fitted on training episodes; all (Z,)."""

    step_sigma: np.ndarray  # of z_{t+1} - z_t
    slope: np.ndarray  # AR(1): z_{t+1} ~ N(slope z_t + offset, sigma)
    offset: np.ndarray
    sigma: np.ndarray


def fit_baselines(batch: dict) -> Baselines:
    """batch: as gather gives it, of training episodes."""
    before, after = _pairs(batch)
    slope = ((before - before.mean(axis=0)) * (after - after.mean(axis=0))).mean(axis=0)
    slope /= before.var(axis=0)
    offset = after.mean(axis=0) - slope * before.mean(axis=0)
    error = after - slope * before - offset
    step_sigma = np.sqrt(np.mean(np.square(after - before), axis=0))
    return Baselines(step_sigma, slope, offset, np.sqrt(np.mean(np.square(error), axis=0)))


def measure_baselines(baselines: Baselines, batch: dict) -> dict[str, float]:
    """The log's values of a held-out batch, in nats per dimension of z.

    baseline_nll: of N(z_t, s). ar1_nll: of AR(1). floor_nll: the entropy of V's noise.
    """
    before, after = _pairs(batch)
    persistence = Normal(before, baselines.step_sigma)
    ar1 = Normal(baselines.slope * before + baselines.offset, baselines.sigma)
    noise = Normal(0.0, np.exp(_inside(batch, batch["logvar"][:, 1:]) / 2))
    return {
        "baseline_nll": float(-persistence.log_prob(after).numpy().mean()),
        "ar1_nll": float(-ar1.log_prob(after).numpy().mean()),
        "floor_nll": float(noise.entropy().numpy().mean()),
    }


def _pairs(batch: dict) -> tuple[np.ndarray, np.ndarray]:
    """z_t and z_{t+1} of all steps that count, (N, Z) each."""
    z = draw_z(batch)["z"].numpy()
    return _inside(batch, z[:, :-1]), _inside(batch, z[:, 1:])


def _inside(batch: dict, values: np.ndarray) -> np.ndarray:
    return values[batch["weight"] > 0]
