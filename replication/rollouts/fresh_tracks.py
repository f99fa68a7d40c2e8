"""The tracks of evaluations: seeds from 2**32 on, which no training uses."""

from replication.rollouts.loop import Trial

import numpy as np

FIRST = 2**32  # the first seed of an evaluation: training's are below
APART = 2**20  # between the first tracks of two evaluation seeds, and the most of one


def fresh_trials(parameters: np.ndarray, episodes: int, seed: int = 0) -> list[Trial]:
    """Trials of a C (P,) on the first tracks of an evaluation seed, which is below 2**20."""
    first = FIRST + seed * APART
    return [Trial(first + episode, parameters) for episode in range(episodes)]
