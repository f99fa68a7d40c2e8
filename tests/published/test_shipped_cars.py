"""The shipped agents of CarRacing drive, from the files that are in the repository."""

from pathlib import Path

from replication.config import Env
from replication.rollouts.agent import LinearControllers
from replication.rollouts.agent_files import load_agent
from replication.rollouts.loop import Trial, drive
from replication.rollouts.workers import make_real_world

import numpy as np
import pytest

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"


@pytest.mark.parametrize(
    "agent", ["pretrained", "dreamt/seed_1", "laptop/v3_seed_1", "laptop/seed_6"]
)
def test_it_drives(agent, compiled):
    """Six seconds on each of four tracks: a car that stands has -30 by then."""
    parts, parameters = load_agent(CHECKPOINTS / agent)
    world = make_real_world(parts, Env(), width=4)
    trials = [Trial(seed, parameters, max_steps=300) for seed in range(4)]
    episodes = drive(world, LinearControllers(parts.controller), trials)
    assert np.mean([episode.total for _, episode in episodes]) > 50
