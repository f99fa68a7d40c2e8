"""Agents in every worker process, and episodes handed out to them: for C's training and its score.

A job is a group of episodes that one worker drives in lockstep, WIDTH at a time. Which episodes
share a job, and how many workers there are, changes no number: see agent.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from replication.config import Env
from replication.parallel import mpi
from replication.rollouts.agent import WIDTH, Agent, Weights, one_thread
from replication.rollouts.loop import Task, drive, make_env

import numpy as np

LARGEST = 4 * WIDTH  # episodes in a job: slots that are refilled three times seldom stand idle
WORKER: dict = {}  # what a worker process holds: its agent and environments


@dataclass(frozen=True)
class Job:
    """Episodes for one worker; the name is what the user reads if it is lost."""

    name: str
    tasks: list[Task]


def start_worker(weights: Weights, env: Env) -> None:
    """Called once in each worker with all that it needs."""
    one_thread()
    envs = [make_env(env) for _ in range(WIDTH)]
    WORKER.update(agent=Agent(weights), envs=envs, max_steps=env.max_steps)


def drive_job(job: Job) -> list[tuple[float, int]]:
    """The return and the frames of each of a job's episodes, in the order of its tasks."""
    results: list[tuple[float, int]] = [(0.0, 0)] * len(job.tasks)
    episodes = drive(WORKER["envs"], WORKER["agent"], job.tasks, WORKER["max_steps"])
    for place, episode in episodes:
        results[place] = (episode.total, len(episode.rewards))
    return results


def split_jobs(name: str, tasks: Sequence[Task], workers: int) -> list[Job]:
    """Jobs of nearly one size, at most LARGEST, the same number of them for each worker."""
    size = mpi.job_size(len(tasks), LARGEST, workers)
    return [
        Job(f"{name}, episodes {i}..{min(i + size, len(tasks)) - 1}", list(tasks[i : i + size]))
        for i in range(0, len(tasks), size)
    ]


def drive_all(pool: mpi.Pool, name: str, tasks: Sequence[Task]) -> np.ndarray:
    """Drive every task: returns and frames, float64 (len(tasks), 2)."""
    jobs = split_jobs(name, tasks, mpi.workers())
    results = pool.map(drive_job, jobs, name=lambda job: job.name)
    return np.array([result for part in results for result in part])
