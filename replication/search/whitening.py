"""Steps for CMA-ES that try the directions of C's inputs more alike (--controller.inputs whitened).

C's inputs are far from centred, and a few of their directions have most of the variance: much of
what equal steps of C's parameters do is to shift its actions, and most of the rest is along those
few. Here CMA-ES searches over weights of the centred and decorrelated inputs, C = start + steps:
the same linear policies, with another first covariance of the search.
"""

from dataclasses import dataclass
from pathlib import Path

from replication.config import ACTIONS, Config, UserError
from replication.controller.controller import input_size
from replication.dataset.episodes import UNREADABLE
from replication.rollouts.agent import load_weights
from replication.runs import files, folders
from replication.runs.logs import read_log
from replication.search.recorded_inputs import inputs_of_c, some_episodes

import numpy as np

FLOOR = 0.1  # ours: of variance, directions with less of it stay small


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


def read_whitening(config: Config) -> Whitening | None:
    """The search's whitening, if it has one: as the run has kept it, or of the run's rollouts.

    Raises UserError for a C that is not linear, without rollouts, or if what was kept is gone or
    spoilt.
    """
    if config.controller.inputs == "raw":
        return None
    if config.controller.mode == "z_hidden":
        raise UserError("--controller.inputs whitened: mode z_hidden is not linear; give raw")
    weights = load_weights(
        folders.run_folder(config.run), config.controller.mode, config.vision, config.controller.z
    )
    kept = folders.stage_folder(config, "train_controller") / "whitening.npz"
    if not config.overwrite:
        if kept.exists():
            return _load(kept, input_size(weights.mode, weights.rnn_config.hidden))
        if read_log(kept.with_name("log.jsonl")):
            raise UserError(f"{folders.shown(kept)} is missing: restore it, or --overwrite")
    return whitening_of(np.concatenate(inputs_of_c(weights, some_episodes(config))))


def keep_whitening(whitening: Whitening, path: Path) -> None:
    """What a resumed search goes on with."""
    with files.replacing(path) as temporary:
        np.savez(temporary, mean=whitening.mean, root=whitening.root)


def _load(path: Path, inputs: int) -> Whitening:
    try:
        with np.load(path, allow_pickle=False) as kept:
            mean, root = kept["mean"], kept["root"]
        if mean.shape != (inputs,) or root.shape != (inputs, inputs):
            raise ValueError(f"it is not of {inputs} inputs")
        if not (np.isfinite(mean).all() and np.isfinite(root).all()):
            raise ValueError("not all of it is finite")
    except UNREADABLE as error:
        raise UserError(f"{folders.shown(path)} cannot be read ({error}): restore it") from None
    return Whitening(mean, root)
