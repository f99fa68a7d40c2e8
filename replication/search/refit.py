"""C on an M that has learned more: the linear policy that acts as it did on the M before."""

from replication.controller.controller import LinearPolicy
from replication.search.warm_start import RIDGE, linear_fit

import numpy as np


def refit(
    controller: LinearPolicy,
    parameters: np.ndarray,
    before: list[np.ndarray],
    after: list[np.ndarray],
) -> tuple[np.ndarray, dict[str, float]]:
    """C's flat vector (P,) for the M after, and how much of each output's variance it explains.

    before, after: what C sees at the same frames, with what the one M and the other remember,
    (F, I) each.
    """
    task = controller.task
    x, seen = np.concatenate(after), np.concatenate(before)
    ((bias, weight),) = controller.split(np.float32(parameters))
    y = np.clip(seen @ weight + bias, np.float32(task.output_low), np.float32(task.output_high))
    bias, weight = linear_fit(x, y, RIDGE, task.bias)
    error = ((x @ weight + bias - y) ** 2).mean(axis=0)
    explained = 1 - error / np.maximum(y.var(axis=0), RIDGE)
    shares = dict(zip(task.actions, explained.round(4).tolist(), strict=True))
    return np.concatenate([bias if task.bias else [], weight.ravel()]).astype(np.float32), shares
