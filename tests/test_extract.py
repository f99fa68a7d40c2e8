"""Who drives while rollouts are recorded: the policies, and an agent with noise on its C."""

import dataclasses
import io

from replication import extract
from replication.config import Config, Extract, Rnn, UserError
from replication.controller.actions import HIGH, LOW
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import Agent, Weights
from replication.rollouts.loop import Task, drive
from replication.runs import files
from replication.tf import keras
from replication.vae.vae import build_encoder

import numpy as np
import pytest

LENGTH = 6


@pytest.fixture(scope="module")
def weights() -> Weights:
    keras.utils.set_random_seed(0)
    rnn = MDNRNN(Rnn(hidden=8))
    return Weights(build_encoder().get_weights(), rnn.get_weights(), rnn.config, "z_h")


@pytest.fixture(scope="module")
def parameters(weights) -> np.ndarray:
    return np.float32(0.1 * np.random.default_rng(1).standard_normal(weights.parameters))


def actions_of(policy, counting_env, seed: int, parameters=None) -> np.ndarray:
    ((_, episode),) = drive([counting_env(LENGTH)], policy, [Task(seed, parameters)])
    return np.stack(episode.actions)


@pytest.mark.parametrize("make", [extract.OriginalPolicy, extract.BrownianPolicy])
def test_random_policies_follow_from_the_episodes_seed(make, counting_env):
    actions = actions_of(make(), counting_env, 3)
    np.testing.assert_array_equal(actions, actions_of(make(), counting_env, 3))
    assert not np.array_equal(actions, actions_of(make(), counting_env, 4))
    assert (actions >= LOW).all() and (actions <= HIGH).all()


def test_an_agent_without_noise_drives_as_it_does_elsewhere(weights, parameters, counting_env):
    policy = extract.AgentPolicy(weights, parameters, noise=0)
    expected = actions_of(Agent(weights), counting_env, 3, parameters)
    np.testing.assert_array_equal(actions_of(policy, counting_env, 3), expected)


def test_each_episode_has_a_c_of_its_own(weights, parameters, counting_env):
    """C's distance from the agent's is that of the noise, and follows from the seed."""
    policy, found = extract.AgentPolicy(weights, parameters, noise=0.1), []
    for seed in (3, 4, 3):
        actions_of(policy, counting_env, seed)
        found.append(policy.agent.flat[0] - parameters)
    np.testing.assert_array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1])
    spreads = []
    for seed in range(200):
        policy.begin(0, Task(seed))
        spreads.append((policy.agent.flat[0] - parameters).std())
    assert max(spreads) < 0.12
    assert np.mean(spreads) == pytest.approx(0.05, abs=0.01)


def test_an_episode_is_the_same_whatever_was_driven_beside_it(weights, parameters, counting_env):
    policy = extract.AgentPolicy(weights, parameters, noise=0.1)
    extract.WORKER.update(make_env=counting_env, envs=[], policy=policy, max_steps=LENGTH)
    together = extract.record([3, 4, 5])
    assert together == [extract.record([seed])[0] for seed in (3, 4, 5)]
    assert len(set(together)) == 3
    with np.load(io.BytesIO(together[1])) as arrays:
        np.testing.assert_array_equal(arrays["obs"][:, 0, 0, :2], [[t, 4] for t in range(LENGTH)])


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
    def known(driver: str | None = None, **fields) -> str:
        return extract.identify(Config(extract=Extract(**fields), seed=5), driver)

    assert known() == "original 5 1000"
    agents = [
        known(driver, policy="agent", agent=folder, noise=noise)
        for driver in ("one C", "another")
        for folder in "ab"
        for noise in (0, 1)
    ]
    assert len(set(agents)) == 8


def test_a_set_is_not_gone_on_with_by_another_c(home):
    config = Config(extract=Extract(policy="agent", agent="checkpoints/mine"))
    ones, zeros = ((None, np.full(867, value, np.float32)) for value in (1, 0))
    driver = extract.check_driver(config, home, ones)
    files.write_json(home / "driver.json", {"controller": driver})
    assert extract.check_driver(config, home, ones) == driver
    assert extract.check_driver(config, home, None) == driver  # nothing is missing
    with pytest.raises(UserError, match="was begun by another C of checkpoints/mine"):
        extract.check_driver(config, home, zeros)
    anew = dataclasses.replace(config, overwrite=True)
    assert extract.check_driver(anew, home, zeros) not in (None, driver)


def test_an_agent_that_is_not_there(home):
    with pytest.raises(UserError, match="checkpoints/none: no such folder"):
        extract.read_agent(Extract(policy="agent", agent="checkpoints/none"))
