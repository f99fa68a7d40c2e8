"""Worlds and controllers in every worker process, and episodes handed out to them.

A job is a group of episodes that one worker runs in lockstep, WIDTH at a time. Which episodes
share a job, and how many workers there are, changes no number: see agent.py.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from replication.config import Env
from replication.parallel import mpi
from replication.rnn.dream import Starts
from replication.rollouts.agent import (
    WIDTH,
    AgentParts,
    LinearControllers,
    WorldModel,
    one_thread,
)
from replication.rollouts.dream_controllers import DreamControllers
from replication.rollouts.dream_world import WIDTH as DREAMS
from replication.rollouts.dream_world import DreamRules, DreamWorld
from replication.rollouts.loop import Trial, World, drive
from replication.rollouts.policies import Bursts
from replication.rollouts.real_world import RealWorld
from replication.rollouts.recorder import Recorder

import numpy as np

# Episodes in a job, at most: slots that are refilled again and again seldom stand idle.
LARGEST = {"real": 4 * WIDTH, "dream": 8 * DREAMS}
# What a worker process holds: V and M, how its game goes, worlds and controllers by their names.
WORKER: dict = {}


@dataclass(frozen=True)
class DreamSettings:
    """What a worker needs, beside M, to dream."""

    starts: Starts
    rules: DreamRules


class NewM(NamedTuple):
    """Another M for a worker, and where it dreams from: the rounds learn M anew again and again."""

    key: str  # another M has another key
    weights: list[np.ndarray]
    dream: DreamSettings


@dataclass(frozen=True)
class Job:
    """Episodes for one worker; the name is what the user reads if it is lost."""

    name: str
    trials: list[Trial]
    world: str  # "real" or "dream"
    m: NewM | None = None  # None: the M that the worker has


def make_real_world(parts: AgentParts, env: Env, width: int = WIDTH) -> RealWorld:
    """Environments of the agent's task, seen through its V and M."""
    envs = [parts.task.make_env(env.stock) for _ in range(width)]
    return RealWorld(parts.task, envs, WorldModel(parts), env.max_steps, parts.frames)


def start_worker(parts: AgentParts, env: Env, dream: DreamSettings | None = None) -> None:
    """Called once in each worker with all that it needs."""
    one_thread()
    worlds: dict[str, World] = {}
    WORKER.update(parts=parts, env=env, worlds=worlds, m=None)
    if dream:
        worlds["dream"] = DreamWorld(parts.build_rnn(), dream.starts, dream.rules)
    WORKER["controllers"] = {
        "real": LinearControllers(parts.controller),
        "dream": DreamControllers(parts.controller, DREAMS),
    }


def take_m(m: NewM | None) -> None:
    """Give the worker's worlds another M, if they have not got it yet."""
    if m is None or m.key == WORKER["m"]:
        return
    parts = dataclasses.replace(WORKER["parts"], rnn=m.weights)
    if "real" in WORKER["worlds"]:
        WORKER["worlds"]["real"].model.rnn.set_weights(m.weights)
    WORKER["worlds"]["dream"] = DreamWorld(parts.build_rnn(), m.dream.starts, m.dream.rules)
    WORKER.update(parts=parts, m=m.key)


def world_of(name: str) -> World:
    """A worker's "real" world, made when it is first asked for, or its "dream"."""
    worlds = WORKER["worlds"]
    if name == "real" and name not in worlds:
        worlds[name] = make_real_world(WORKER["parts"], WORKER["env"])
    return worlds[name]


def run_job(job: Job) -> list[tuple[float, int]]:
    """The return and the steps of each of a job's episodes, in the order of its trials."""
    take_m(job.m)
    results: list[tuple[float, int]] = [(0.0, 0)] * len(job.trials)
    world, controllers = world_of(job.world), WORKER["controllers"][job.world]
    for place, episode in drive(world, controllers, job.trials):
        results[place] = (episode.total, len(episode.rewards))
    return results


def record_job(job: Job) -> list[dict[str, np.ndarray]]:
    """Each of a job's episodes, as Recorder keeps it, in the order of its trials."""
    take_m(job.m)
    world, task = world_of("real"), WORKER["parts"].task
    recorder = Recorder(world)
    policy = Bursts(WORKER["controllers"]["real"], task, world.width)
    episodes: list[dict] = [{}] * len(job.trials)
    for place, episode in drive(world, policy, job.trials, watch=recorder.watch):
        episodes[place] = recorder.take(episode)
    return episodes


def split_jobs(
    name: str, trials: Sequence[Trial], workers: int, world: str, m: NewM | None = None
) -> list[Job]:
    """Jobs of nearly one size, at most a world's LARGEST, as many of them for each worker."""
    size = mpi.job_size(len(trials), LARGEST[world], workers)
    return [
        Job(
            f"{name}, episodes {i}..{min(i + size, len(trials)) - 1}",
            list(trials[i : i + size]),
            world,
            m,
        )
        for i in range(0, len(trials), size)
    ]


def run_all(
    pool: mpi.Pool,
    name: str,
    trials: Sequence[Trial],
    world: str = "real",
    m: NewM | None = None,
) -> np.ndarray:
    """Run every trial: returns and steps, float64 (len(trials), 2)."""
    jobs = split_jobs(name, trials, mpi.workers(), world, m)
    results = pool.map(run_job, jobs, name=lambda job: job.name)
    return np.array([result for part in results for result in part])


def record_all(pool: mpi.Pool, name: str, trials: Sequence[Trial], m: NewM) -> list[dict]:
    """Drive every trial in the game, and keep what M learns from: see Recorder."""
    jobs = split_jobs(name, trials, mpi.workers(), "real", m)
    results = pool.map(record_job, jobs, name=lambda job: job.name)
    return [episode for part in results for episode in part]
