"""Policies that do not look, in the game and in M's dream: a fit dream treats them alike."""

from collections.abc import Sequence

from replication.rollouts.loop import Trial, World, drive
from replication.rollouts.policies import RandomActions
from replication.tasks.task import Task

import numpy as np


def blind_returns(task: Task, name: str, world: World, seeds: Sequence[int]) -> np.ndarray:
    """The return of an episode of each seed (N,), by one of the task's random policies."""
    policy = RandomActions(task.random_policies[name], task.action_size, world.width)
    returns = np.zeros(len(seeds))
    for place, episode in drive(world, policy, [Trial(seed) for seed in seeds]):
        returns[place] = episode.total
    return returns
