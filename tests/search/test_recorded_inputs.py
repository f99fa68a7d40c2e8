"""What C would have seen of a recorded episode is what it saw as it drove it."""

from replication.config import Env, Rnn
from replication.dataset.episodes import Recorded
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import Agent, Weights
from replication.rollouts.loop import Task, drive, make_env
from replication.runs import seeds
from replication.search.recorded_inputs import inputs_of_c
from replication.vae.vae import build_encoder

import numpy as np
import pytest

STEPS = 40


class Watched:
    """A rollouts.Policy: an agent, and what its C saw in slot 0."""

    def __init__(self, agent: Agent):
        self.agent, self.seen = agent, []
        self.begin = agent.begin

    def act(self, frames):
        h, c = self.agent.h[0].copy(), self.agent.c[0].copy()
        action = self.agent.act(frames)
        self.seen.append(np.concatenate([self.agent.z[0], c, h]))
        return action


@pytest.mark.parametrize("z", ["sample", "mean"])
def test_c_sees_of_a_recording_what_it_saw_driving(compiled, tmp_path, z):
    seeds.seed_everything(0)
    settings = Rnn(hidden=8)
    weights = Weights(
        build_encoder().get_weights(), MDNRNN(settings).get_weights(), settings, "z_c_h", z
    )
    policy = Watched(Agent(weights))
    flat = np.random.default_rng(0).standard_normal(weights.parameters).astype(np.float32)
    env = make_env(Env())
    ((_, episode),) = drive([env], policy, [Task(7, flat)], STEPS, keep_frames=True)
    path = tmp_path / "0000000007.npz"
    arrays = {"obs": np.stack(episode.frames), "action": np.stack(episode.actions)}
    np.savez(path, reward=np.float32(episode.rewards), terminated=episode.terminated, **arrays)
    (seen,) = inputs_of_c(weights, [Recorded(path, STEPS)])
    assert seen.shape == (STEPS, 32 + 8 + 8)
    assert not seen[0, 32:].any()  # h_0 and c_0
    # V's mu and logvar are stored in half precision
    np.testing.assert_allclose(seen, np.stack(policy.seen), atol=5e-3)
    assert np.abs(seen[1:, 32:]).max() > 0.1
