"""C on an M that has learned more: the linear policy that acts as it did on the M before."""

from replication.controller.controller import LinearPolicy
from replication.search.warm_start import RIDGE, explained, flat_c, linear_fit

import numpy as np


def refit(
    controller: LinearPolicy, parameters: np.ndarray, before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, dict[str, float]]:
    """C's flat vector (P,) for the M after, and how much of each output's variance it explains.

    before, after: what C sees at the same frames, with what the one M and the other remember,
    (F, I) each. The share is of the frames that are fitted, unlike that of act_like.
    """
    task = controller.task
    ((bias, weight),) = controller.split(np.float32(parameters))
    y = np.clip(before @ weight + bias, np.float32(task.output_low), np.float32(task.output_high))
    fit = linear_fit(after, y, RIDGE, task.bias)
    return flat_c(task, fit), explained(task, fit, after, y)
