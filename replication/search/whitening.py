"""Steps for CMA-ES that try the directions of C's inputs more alike (--controller.inputs whitened).

C's inputs are far from centred, and a few of their directions have most of the variance: much of
what equal steps of C's parameters do is to shift its actions, and most of the rest is along those
few. Here CMA-ES searches over weights of the centred and decorrelated inputs, C = start + steps:
the same linear policies, with another first covariance of the search.
"""

from dataclasses import dataclass
from pathlib import Path

from replication.config import UserError
from replication.dataset.episodes import UNREADABLE
from replication.runs import files, folders
from replication.tasks.task import Task

import numpy as np

FLOOR = 0.1  # ours: of variance, directions with less of it stay small


@dataclass(frozen=True)
class Whitening:
    """mean (I,) of C's inputs, and root (I, I), of the inverse of their covariance + FLOOR."""

    mean: np.ndarray
    root: np.ndarray
    task: Task

    def flat(self, steps: np.ndarray) -> np.ndarray:
        """Steps (N, P), biases and weights of whitened inputs -> of C's own inputs, (N, P)."""
        outputs = self.task.action_size
        biases = outputs if self.task.bias else 0
        bias, weight = steps[:, :biases], steps[:, biases:]  # (N, A or 0), (N, I * A)
        weight = self.root @ weight.reshape(-1, len(self.mean), outputs)  # (N, I, A)
        if self.task.bias:
            bias = bias - self.mean @ weight
        return np.concatenate([bias, weight.reshape(len(steps), -1)], axis=1)


def whitening_of(inputs: np.ndarray, task: Task) -> Whitening:
    """inputs (N, I): what C sees in recorded rollouts. Not centred where C has no biases."""
    inputs = inputs.astype(np.float64)
    mean = inputs.mean(axis=0) * task.bias
    covariance = np.cov(inputs.T) if task.bias else inputs.T @ inputs / len(inputs)
    variance, directions = np.linalg.eigh(covariance)
    root = directions / np.sqrt(np.maximum(variance, 0) + FLOOR) @ directions.T
    return Whitening(mean, root, task)


def save_whitening(whitening: Whitening, path: Path) -> None:
    """Write mean and root, by which a search is resumed."""
    with files.replacing(path) as temporary:
        np.savez(temporary, mean=whitening.mean, root=whitening.root)


def load_whitening(path: Path, inputs: int, task: Task) -> Whitening:
    """The whitening of a search that has begun; UserError if it is not of so many inputs."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mean, root = arrays["mean"], arrays["root"]
        if mean.shape != (inputs,) or root.shape != (inputs, inputs):
            raise ValueError(f"it is not of {inputs} inputs")
        if not (np.isfinite(mean).all() and np.isfinite(root).all()):
            raise ValueError("not all of it is finite")
    except UNREADABLE as error:
        raise UserError(f"{folders.shown(path)} cannot be read ({error}): restore it") from None
    return Whitening(mean, root, task)
