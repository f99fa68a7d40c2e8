"""Who acts while rollouts are recorded: random actions, and an agent with noise on its C."""

from replication.config import Rnn
from replication.rollouts.agent import AgentParts, LinearControllers, WorldModel
from replication.rollouts.loop import Trial, drive
from replication.rollouts.policies import NoisyAgent, RandomActions
from replication.runs.seeds import Purpose, generator
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
import pytest
from agents import random_controllers, random_parts
from counting import CountingEnv, counting_world

LENGTH = 6


@pytest.fixture(scope="module")
def parts() -> AgentParts:
    return random_parts(Rnn(hidden=8))


@pytest.fixture(scope="module")
def model(parts) -> WorldModel:
    return WorldModel(parts)


@pytest.fixture(scope="module")
def parameters(parts) -> np.ndarray:
    return random_controllers(parts, 1)[0]


def actions_of(policy, seed: int, model=None, parameters=None) -> np.ndarray:
    world = counting_world(CountingEnv(LENGTH), model=model)
    ((_, episode),) = drive(world, policy, [Trial(seed, parameters)])
    return np.stack(episode.actions)


@pytest.mark.parametrize("name", sorted(CAR_RACING_V3.random_policies))
def test_random_actions_follow_from_the_episodes_seed(name):
    policy = CAR_RACING_V3.random_policies[name]
    expected = policy(generator(3, Purpose.RECORDING))
    blind = RandomActions(policy, 3)
    actions = actions_of(blind, 3)
    assert (actions.shape, actions.dtype) == ((LENGTH, 3), np.float32)
    np.testing.assert_array_equal(actions, np.float32([next(expected) for _ in range(LENGTH)]))
    assert not np.array_equal(actions, actions_of(blind, 4))
    np.testing.assert_array_equal(actions, actions_of(blind, 3))  # whatever was driven before


def test_an_agent_without_noise_acts_as_it_does_elsewhere(parts, model, parameters):
    controllers = LinearControllers(parts.controller)
    expected = actions_of(controllers, 3, model, parameters)
    noisy = NoisyAgent(LinearControllers(parts.controller), parameters, noise=0)
    np.testing.assert_array_equal(actions_of(noisy, 3, model), expected)


def test_each_episode_has_a_c_of_its_own(parts, model, parameters):
    """C's distance from the agent's is that of the noise, and follows from the seed."""
    controllers, distances = LinearControllers(parts.controller), []
    policy = NoisyAgent(controllers, parameters, noise=0.1)
    for seed in (3, 4, 3):
        actions_of(policy, seed, model)
        distances.append(controllers.flat[0] - parameters)
    np.testing.assert_array_equal(distances[0], distances[2])
    assert not np.array_equal(distances[0], distances[1])
    spreads = []
    for seed in range(200):
        policy.begin(0, Trial(seed))
        spreads.append((controllers.flat[0] - parameters).std())
    assert max(spreads) < 0.12
    assert np.mean(spreads) == pytest.approx(0.05, abs=0.01)
