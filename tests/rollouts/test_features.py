"""Pixels as a world model's features: those that an agent sees as it drives."""

import dataclasses

from replication.config import Rnn
from replication.rollouts.agent import WorldModel
from replication.rollouts.features import WorldModelFeatures
from replication.rollouts.loop import Trial
from replication.rollouts.real_world import RealWorld
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.take_cover import TAKE_COVER

import gymnasium
import numpy as np
import pytest
from agents import random_parts
from gymnasium import spaces

Z, H = 32, 16


class Pictures(gymnasium.Env):
    """Coloured noise of the size of a CarRacing state, which follows from seed and step."""

    observation_space = spaces.Box(0, 255, (96, 96, 3), np.uint8)
    action_space = spaces.Box(np.float32([-1, 0, 0]), np.float32([1, 1, 1]))

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.time = 0
        return self._picture(), {"lap": 0}

    def step(self, action):
        self.time += 1
        return self._picture(), float(action[0]), self.time == 3, False, {"lap": self.time}

    def _picture(self) -> np.ndarray:
        return self.np_random.integers(0, 256, (96, 96, 3), np.uint8)


@pytest.fixture(scope="module", params=["sample", "mean"])
def parts(request):
    return random_parts(Rnn(hidden=H), z=request.param)


def episode(env, actions, seed: int | None) -> np.ndarray:
    return np.stack([env.reset(seed=seed)[0], *(env.step(action)[0] for action in actions)])


ACTIONS = np.random.default_rng(0).uniform((-1, 0, 0), 1, (6, 3)).astype(np.float32)


def test_features_are_what_an_agent_sees(parts):
    """z and h of the loop that evaluates agents, on the same seed and actions."""
    world = RealWorld(parts.task, [Pictures()], WorldModel(parts))
    world.begin(0, Trial(5))
    expected = [world.see()]
    for action in ACTIONS:
        world.step([0], np.tile(action, (len(world.model.z), 1)))
        expected.append(world.see())
    ours = episode(WorldModelFeatures(Pictures(), parts), ACTIONS, 5)
    assert ours.shape == (7, Z + H) and ours.dtype == np.float32
    np.testing.assert_allclose(ours[:, :Z], [seen.z[0] for seen in expected], atol=1e-5)
    np.testing.assert_allclose(ours[:, Z:], [seen.h[0] for seen in expected], atol=1e-5)
    assert not ours[0, Z:].any() and ours[1:, Z:].any(axis=1).all()


def test_all_else_is_the_games(parts):
    env = WorldModelFeatures(Pictures(), parts)
    obs, info = env.reset(seed=0)
    assert info == {"lap": 0} and env.observation_space.contains(obs)
    assert env.action_space == Pictures.action_space
    results = [env.step(action) for action in ACTIONS[:3]]
    assert [result[1] for result in results] == ACTIONS[:3, 0].tolist()
    assert [result[2] for result in results] == [False, False, True]
    assert results[2][4] == {"lap": 3}
    before = results[0][0].copy()
    env.step(ACTIONS[0])
    np.testing.assert_array_equal(results[0][0], before)


def test_equal_seeds_give_equal_features(parts):
    env = WorldModelFeatures(Pictures(), parts)
    first, second = episode(env, ACTIONS, 3), episode(env, ACTIONS, None)
    np.testing.assert_array_equal(episode(env, ACTIONS, 3), first)
    np.testing.assert_array_equal(episode(env, ACTIONS, None), second)
    assert (episode(env, ACTIONS, 4) != first).any() and (first != second).any()


def test_following_episodes_have_other_noise():
    """Where the pictures are the same, and z is sampled."""
    env = WorldModelFeatures(Pictures(), random_parts(Rnn(hidden=H)))
    env.env._picture = lambda: np.full((96, 96, 3), 90, np.uint8)
    seen = [env.reset(seed=seed)[0][:Z] for seed in (3, None, None, 3)]
    assert (seen[0] == seen[3]).all()
    assert len({z.tobytes() for z in seen}) == 3


def test_frames_are_those_of_the_agents_kind():
    parts = random_parts(Rnn(hidden=H), z="mean")
    plain, stretched = (
        episode(WorldModelFeatures(Pictures(), dataclasses.replace(parts, frames=kind)), [], 0)
        for kind in ("plain", "stretched")
    )
    assert (plain[:, :Z] != stretched[:, :Z]).any()


def test_another_game_is_refused():
    parts = random_parts(Rnn(hidden=H), z="mean", task=TAKE_COVER)
    with pytest.raises(ValueError, match="actions are not those of take_cover"):
        WorldModelFeatures(Pictures(), parts)


def test_a_car_is_seen(compiled):
    env = WorldModelFeatures(CAR_RACING_V3.make_env(), random_parts(Rnn(hidden=H), z="mean"))
    obs = episode(env, ACTIONS[:2], 0)
    assert np.isfinite(obs).all() and (obs[0] != obs[2]).any()
