"""Steps for CMA-ES that change what C does evenly (--controller.inputs whitened).

C's inputs are far from centred, and a few of their directions have most of the variance: equal
steps of C's parameters shift its actions more than they shape them, and hardly try the rest. Here
CMA-ES searches over weights of the centred and decorrelated inputs, C = start + steps: the same
linear policies, with another first covariance of the search.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from replication import runs
from replication.agent import Weights
from replication.config import ACTIONS, Config, UserError
from replication.episodes import UNREADABLE
from replication.seen import inputs_of_c, some_episodes

FLOOR = 0.1  # variance: directions with less are not blown up to the size of the others


@dataclass(frozen=True)
class Whitening:
    """mean (I,) of C's inputs, and root (I, I), of the inverse of their covariance + FLOOR."""

    mean: np.ndarray
    root: np.ndarray

    def flat(self, steps: np.ndarray) -> np.ndarray:
        """Steps (N, P), biases and weights of whitened inputs -> of C's own inputs, (N, P)."""
        bias, weight = steps[:, :ACTIONS], steps[:, ACTIONS:]  # (N, A), (N, I * A)
        weight = self.root @ weight.reshape(-1, len(self.mean), ACTIONS)  # (N, I, A)
        bias = bias - self.mean @ weight
        return np.concatenate([bias, weight.reshape(len(steps), -1)], axis=1)


def whitening_of(inputs: np.ndarray) -> Whitening:
    """inputs (N, I), what C sees on recorded rollouts."""
    inputs = inputs.astype(np.float64)
    variance, directions = np.linalg.eigh(np.cov(inputs.T))
    root = directions / np.sqrt(np.maximum(variance, 0) + FLOOR) @ directions.T
    return Whitening(inputs.mean(axis=0), root)


def find_whitening(config: Config, weights: Weights, path: Path) -> Whitening | None:
    """The search's whitening, if it has one: of the run's rollouts, kept in a file for resuming.

    Raises UserError for a C that is not linear, without rollouts, or if the file is spoilt.
    """
    if config.controller.inputs == "raw":
        return None
    if config.controller.mode == "z_hidden":
        raise UserError("--controller.inputs whitened: mode z_hidden is not linear")
    if not path.exists():
        whitening = whitening_of(np.concatenate(inputs_of_c(weights, some_episodes(config))))
        with runs.replacing(path) as temporary:
            np.savez(temporary, mean=whitening.mean, root=whitening.root)
        return whitening
    try:
        with np.load(path, allow_pickle=False) as kept:
            return Whitening(kept["mean"], kept["root"])
    except UNREADABLE as error:
        raise UserError(f"{runs.shown(path)} cannot be read ({error}): restore it") from None
