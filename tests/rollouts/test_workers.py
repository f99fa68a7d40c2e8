"""Episodes handed out to workers: every one once, its results in its place."""

from replication.config import Env, Rnn
from replication.rollouts import workers
from replication.rollouts.agent import WIDTH, LinearControllers, WorldModel
from replication.rollouts.dream_controllers import DreamControllers
from replication.rollouts.dream_world import DreamRules, DreamWorld
from replication.rollouts.loop import Trial
from replication.rollouts.workers import (
    LARGEST,
    DreamSettings,
    Job,
    make_real_world,
    run_job,
    split_jobs,
)

import numpy as np
import pytest
from agents import random_controllers, random_parts
from counting import CountingEnv, counting_task, counting_world
from dreaming import STARTS


@pytest.mark.parametrize(
    ("world", "count", "processes", "sizes"),
    [
        ("real", 40, 2, [20, 20]),
        ("real", 200, 1, [50] * 4),
        ("real", 200, 3, [34] * 5 + [30]),
        ("real", 3, 8, [1, 1, 1]),
        ("dream", 512, 1, [512]),
        ("dream", 600, 1, [300] * 2),
        ("dream", 512, 3, [171, 171, 170]),
    ],
)
def test_jobs_hold_every_trial_once(world, count, processes, sizes):
    trials = [Trial(seed) for seed in range(count)]
    jobs = split_jobs("generation 3", trials, processes, world)
    assert [len(job.trials) for job in jobs] == sizes
    assert max(sizes) <= LARGEST[world]
    assert sum((job.trials for job in jobs), []) == trials
    assert {job.world for job in jobs} == {world}
    assert jobs[0].name == f"generation 3, episodes 0..{sizes[0] - 1}"
    assert jobs[-1].name == f"generation 3, episodes {count - sizes[-1]}..{count - 1}"


@pytest.fixture
def parts(monkeypatch):
    """A worker's worlds: two counting environments, and dreams of 9 steps."""
    parts = random_parts(Rnn(hidden=8))
    real = counting_world(CountingEnv(), CountingEnv(), model=WorldModel(parts))
    dream = DreamWorld(parts.build_rnn(), STARTS, DreamRules(max_steps=9))
    worlds = {"real": real, "dream": dream}
    controllers = {
        "real": LinearControllers(parts.controller),
        "dream": DreamControllers(parts.controller, dream.width),
    }
    worker = {"parts": parts, "worlds": worlds, "controllers": controllers, "m": None}
    monkeypatch.setattr(workers, "WORKER", worker)
    return parts


def test_results_stand_in_the_order_of_the_trials(parts):
    """Lengths are 3 + seed % 5, whatever ends first; thousands are the steps' numbers."""
    flats = random_controllers(parts, 4)
    trials = [Trial(seed, flat) for seed, flat in zip((4, 0, 2, 1), flats, strict=True)]
    returns, lengths = np.transpose(run_job(Job("", trials, "real")))
    assert lengths.tolist() == [7, 3, 5, 4]
    np.testing.assert_allclose(returns, 1000 * np.array([28, 6, 15, 10]), atol=7)


def test_a_job_says_in_which_world_it_is(parts):
    trials = [Trial(4, random_controllers(parts, 1)[0])]
    assert run_job(Job("", trials, "dream")) == [(0.0, 9)]
    assert run_job(Job("", trials, "real"))[0][1] == 7


def test_a_worker_that_only_dreams_makes_no_game(monkeypatch):
    made = []
    monkeypatch.setattr(workers, "WORKER", {})
    monkeypatch.setattr(workers, "make_real_world", lambda parts, env: made.append(env))
    monkeypatch.setattr(workers, "one_thread", lambda: None)
    parts, env = random_parts(Rnn(hidden=8)), Env(max_steps=5)
    workers.start_worker(parts, env, DreamSettings(STARTS, DreamRules(max_steps=9)))
    trial = Trial(4, random_controllers(parts, 1)[0])
    assert run_job(Job("", [trial], "dream")) == [(0.0, 9)] and not made
    workers.world_of("real")
    assert made == [env]


def test_a_real_world_is_of_the_agents_task_and_as_wide_as_its_batch():
    parts = random_parts(Rnn(hidden=8), task=counting_task())
    world = make_real_world(parts, Env(max_steps=5))
    assert (world.width, world.max_steps, len(world.model.z)) == (WIDTH, 5, WIDTH)
    assert {type(env) for env in world.envs} == {CountingEnv}
    assert make_real_world(parts, Env(), width=2).width == 2
