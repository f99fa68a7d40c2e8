"""Policies that do not look, in the game and in M's dream: a fit dream treats them alike."""

from collections.abc import Sequence
from typing import NamedTuple

from replication.parallel import mpi
from replication.rollouts.loop import Trial, World, drive
from replication.rollouts.policies import RandomActions
from replication.rollouts.real_world import RealWorld
from replication.rollouts.workers import LARGEST, WORKER, world_of
from replication.tasks.task import Task

import numpy as np


class BlindJob(NamedTuple):
    """Episodes of a blind policy for one worker."""

    policy: str
    seeds: list[int]


def blind_returns(task: Task, policy: str, world: World, seeds: Sequence[int]) -> np.ndarray:
    """The return of an episode of each seed (N,), by one of the task's random policies."""
    acting = RandomActions(task.random_policies[policy], task.action_size, world.width)
    returns = np.zeros(len(seeds))
    for place, episode in drive(world, acting, [Trial(seed) for seed in seeds]):
        returns[place] = episode.total
    return returns


def run_blind(job: BlindJob) -> np.ndarray:
    """The returns of a job's episodes, in the environments of a worker of workers.py."""
    seeing, task = world_of("real"), WORKER["parts"].task
    world = RealWorld(task, seeing.envs, max_steps=seeing.max_steps)
    return blind_returns(task, job.policy, world, job.seeds)


def run_controls(pool: mpi.Pool, task: Task, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """The returns of each of the task's controls, an episode a seed: (N,) by name."""
    size = mpi.job_size(len(seeds), LARGEST["real"], mpi.workers())
    starts = range(0, len(seeds), size)
    jobs = [BlindJob(name, list(seeds[i : i + size])) for name in task.controls for i in starts]
    parts: dict[str, list[np.ndarray]] = {name: [] for name in task.controls}
    results = pool.map(run_blind, jobs, name=lambda job: f"{job.policy}, from {job.seeds[0]}")
    for job, returns in zip(jobs, results, strict=True):
        parts[job.policy].append(returns)
    return {name: np.concatenate(returns) for name, returns in parts.items()}
