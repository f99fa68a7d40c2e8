"""What a candidate's episodes are worth to the search."""

import numpy as np


def fitness_of(returns: np.ndarray, worst: float = 0.0) -> np.ndarray:
    """The mean of a candidate's returns (P, E), with a share of the mean of their worst quarter."""
    ordered = np.sort(returns, axis=1)
    quarter = ordered[:, : max(1, returns.shape[1] // 4)]
    return (1 - worst) * returns.mean(axis=1) + worst * quarter.mean(axis=1)
