"""Recording: whole episodes of whoever drives, jobs of episodes, and whose set it is."""

import dataclasses
import io
import json

from replication import extract
from replication.config import Config, Env, Extract, Rnn, UserError
from replication.rollouts.agent import AgentParts, LinearControllers, WorldModel
from replication.rollouts.policies import NoisyAgent, RandomActions
from replication.runs import files
from replication.runs.logs import read_log
from replication.tasks.car_racing import CAR_RACING_V3, brownian_policy

import numpy as np
import pytest
import tiny
from agents import random_controllers, random_parts
from counting import CountingEnv, counting_task, counting_world

LENGTH = 6


@pytest.fixture(scope="module")
def parts() -> AgentParts:
    return random_parts(Rnn(hidden=8))


@pytest.fixture
def worker(monkeypatch) -> dict:
    """What a worker process holds; this test's own."""
    holds: dict = {}
    monkeypatch.setattr(extract, "WORKER", holds)
    return holds


def arrays_of(packed: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return dict(arrays)


def test_a_recorded_episode_is_on_one_timeline(worker):
    """obs[t] is x_t, action[t] answers it, reward[t] is what action[t] earned."""
    env = CountingEnv(LENGTH)
    policy = RandomActions(brownian_policy, 3)
    worker.update(task=counting_task(), world=counting_world(env, max_steps=9), policy=policy)
    (packed,) = extract.record([4])
    episode = arrays_of(packed)
    expected = np.tile(np.uint8([[t, 4, 7] for t in range(9)])[:, None, None], (1, 64, 64, 1))
    np.testing.assert_array_equal(episode["obs"], expected)
    np.testing.assert_array_equal(episode["action"], [action for _, _, action in env.taken])
    earned = 1000 * np.arange(1, 10) + episode["action"][:, 0]
    np.testing.assert_allclose(episode["reward"], earned, rtol=1e-6)
    types = {name: str(array.dtype) for name, array in episode.items()}
    floats = dict.fromkeys(("action", "reward"), "float32")
    assert types == floats | {"obs": "uint8", "terminated": "bool"}


@pytest.mark.parametrize(("goes_on", "length"), [(True, 9), (False, LENGTH)])
def test_whether_a_recording_goes_on_past_the_end_is_the_tasks(worker, goes_on, length):
    task = counting_task(records_past_the_end=goes_on)
    world = counting_world(CountingEnv(LENGTH), max_steps=9)
    worker.update(task=task, world=world, policy=RandomActions(brownian_policy, 3))
    episode = arrays_of(extract.record([4])[0])
    assert len(episode["obs"]) == length
    assert np.flatnonzero(episode["terminated"]).tolist() == list(range(LENGTH - 1, length))


def test_an_episode_is_the_same_whatever_was_driven_beside_it(worker, parts):
    envs = [CountingEnv() for _ in range(3)]
    (flat,) = random_controllers(parts, 1)
    policy = NoisyAgent(LinearControllers(parts.controller), flat, noise=0.1)
    world = counting_world(*envs, model=WorldModel(parts), max_steps=LENGTH)
    worker.update(task=counting_task(), world=world, policy=policy)
    together = extract.record([3, 4, 5, 6])
    assert together == [extract.record([seed])[0] for seed in (3, 4, 5, 6)]
    assert len(set(together)) == 4
    obs = arrays_of(together[1])["obs"]
    np.testing.assert_array_equal(obs[:, 0, 0, :2], [[t, 4] for t in range(LENGTH)])


@pytest.mark.parametrize("policy", ["original", "brownian"])
def test_a_workers_random_policy_drives_one_environment(worker, policy):
    config = Config(env=Env(max_steps=8), extract=Extract(policy=policy))
    extract.start_worker(counting_task(), config, None)
    assert (worker["world"].width, worker["world"].max_steps) == (1, 8)
    assert worker["world"].model is None
    assert worker["policy"].policy is CAR_RACING_V3.random_policies[policy]
    assert len(arrays_of(extract.record([4])[0])["obs"]) == 8


def test_a_policy_that_the_game_lacks_is_named(monkeypatch):
    extract.check_policy(Config(extract=Extract(policy="original")))
    task = dataclasses.replace(CAR_RACING_V3, random_policies={"brownian": brownian_policy})
    monkeypatch.setattr(extract, "task_of", lambda name: task)
    extract.check_policy(Config(extract=Extract(policy="agent")))
    with pytest.raises(UserError, match="policy original: car_racing_v0 has brownian, agent"):
        extract.check_policy(Config(extract=Extract(policy="original")))


def test_seeds_of_a_set_are_below_those_of_evaluations():
    assert [extract.episode_seed(3, index) for index in (0, 7)] == [300_000, 300_007]
    assert extract.episode_seed(39_999, 99_999) < 2**32


def test_what_is_lost_with_a_job():
    assert extract.job_name([7]) == "episode 0000000007"
    assert extract.job_name([7, 8, 9]) == "3 episodes from 0000000007 to 0000000009"


@pytest.mark.parametrize(
    ("policy", "workers", "sizes"),
    [("brownian", 2, [1] * 40), ("agent", 2, [10] * 4), ("agent", 8, [5] * 8)],
)
def test_jobs_hold_every_seed_once(policy, workers, sizes):
    jobs = extract.split_seeds(list(range(40)), policy, workers)
    assert [len(job) for job in jobs] == sizes
    assert sum(jobs, []) == list(range(40))


def test_nothing_to_record_is_no_job():
    assert extract.split_seeds([], "agent", 2) == []


def test_sets_of_other_agents_are_known_as_others():
    def identity(driver: str | None = None, **fields) -> str:
        return extract.identify(Config(extract=Extract(**fields), seed=5), driver)

    assert identity() == "original 5 1000"
    agents = [
        identity(driver, policy="agent", agent=folder, noise=noise)
        for driver in ("one C", "another")
        for folder in "ab"
        for noise in (0, 1)
    ]
    assert len(set(agents)) == 8


def test_a_set_is_not_gone_on_with_by_another_agent(home):
    """Whether it is its C, its V or its M that differs."""
    config = Config(extract=Extract(policy="agent", agent="checkpoints/mine"))
    parts = random_parts(Rnn(hidden=4))
    ones, zeros = ((parts, np.full(39, value, np.float32)) for value in (1, 0))
    driver = extract.check_driver(config, home, ones)
    files.write_json(home / "driver.json", {"agent": driver})
    assert extract.check_driver(config, home, ones) == driver
    assert extract.check_driver(config, home, None) == driver  # nothing is missing
    other_m = dataclasses.replace(parts, rnn=[1.01 * weights for weights in parts.rnn])
    for agent in (zeros, (other_m, ones[1])):
        with pytest.raises(UserError, match="was begun by another agent in checkpoints/mine"):
            extract.check_driver(config, home, agent)
    anew = dataclasses.replace(config, overwrite=True)
    assert extract.check_driver(anew, home, zeros) not in (None, driver)


def test_an_agent_that_is_not_there(home):
    with pytest.raises(UserError, match="checkpoints/none: no such folder"):
        extract.read_agent(Config(extract=Extract(policy="agent", agent="checkpoints/none")))


def test_a_recording_that_was_stopped_keeps_its_time(tmp_path, finished):
    """One episode of two stands there, after 5,000 seconds; the other one is recorded now."""
    home = tiny.copy_of(finished, tmp_path, "extract")
    folder = home / "data/t/record"
    assert [line["step"] for line in read_log(folder / "log.jsonl")] == [1, 2]
    line = {"step": 1, "seconds": 5000.0, "processes": 2}
    (folder / "log.jsonl").write_text(json.dumps(line) + "\n")
    (folder / "done.json").unlink()
    sorted(folder.glob("*.npz"))[-1].unlink()
    assert tiny.stage("extract", *tiny.SCHEDULE, home=home).status == 0
    first, second = read_log(folder / "log.jsonl")
    assert first == line and second["step"] == 2 and second["seconds"] > 5000
    record = json.loads((folder / "done.json").read_text())
    assert record["seconds"] == pytest.approx(second["seconds"], abs=60)
    (folder / "log.jsonl").unlink()  # as in sets of before there was one
    assert tiny.stage("extract", *tiny.SCHEDULE, home=home).status == 0
    again = json.loads((folder / "done.json").read_text())["seconds"]
    assert again == pytest.approx(record["seconds"], abs=60)
