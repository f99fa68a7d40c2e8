"""Clocks around the parts of a frame: all of it is counted, and nothing of the drive changes."""

from replication.rollouts.agent import LinearControllers
from replication.speed import shares
from replication.speed.drivers import Agent, new_agent, random_parts
from replication.speed.shares import PARTS, measure_shares
from replication.tasks.car_racing import CAR_RACING_V0, CAR_RACING_V3

import numpy as np
import pytest
from Box2D import b2World
from gymnasium.envs.box2d.car_racing import CarRacing

WIDTH, FRAMES = 2, 24


@pytest.fixture(scope="module")
def parts():
    return random_parts()


def state_of(agent: Agent) -> list[np.ndarray]:
    model = agent.world.model
    return [agent.world.frames, model.z, model.h, model.c, model.action]


@pytest.mark.parametrize("task", [CAR_RACING_V3, CAR_RACING_V0], ids=lambda task: task.name)
def test_every_part_is_seen(parts, task):
    measured = measure_shares(new_agent(parts, WIDTH, task), FRAMES)
    assert tuple(measured) == PARTS
    # v0 draws all that there is, without a look whether it has changed.
    unused = {"picture: has anything changed?"} if task is CAR_RACING_V0 else set()
    assert {part for part, value in measured.items() if value <= 0} == unused


def test_a_clocked_agent_drives_as_any_other(parts):
    clocked, plain = new_agent(parts, WIDTH), new_agent(parts, WIDTH)
    measure_shares(clocked, FRAMES)
    plain.drive(1)
    plain.drive(FRAMES)
    for one, other in zip(state_of(clocked), state_of(plain), strict=True):
        np.testing.assert_array_equal(one, other)


def test_clocks_are_taken_away(parts, monkeypatch):
    agent = new_agent(parts, WIDTH)
    owners = [(CarRacing, "step"), (b2World, "Step"), (LinearControllers, "act")]
    owners += [(shares.world, "draw"), (agent.world, "to_frame"), (agent.world.model, "_see")]
    before = [vars(owner)[name] for owner, name in owners]

    def interrupted(actions):
        assert CarRacing.step is not before[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(agent.world.model, "act", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure_shares(agent, FRAMES)
    assert [vars(owner)[name] for owner, name in owners] == before
