"""What C would have seen of a recorded episode is what it saw as it drove it."""

from replication.config import Rnn
from replication.dataset.episodes import Recorded, episode_path, pack_episode
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts, LinearControllers, WorldModel
from replication.rollouts.loop import Trial, drive
from replication.rollouts.real_world import RealWorld
from replication.runs import seeds
from replication.search.recorded_inputs import inputs_of_c
from replication.tasks.car_racing import CAR_RACING_V3
from replication.vae.vae import build_encoder

import numpy as np
import pytest

STEPS = 40
SETTINGS = Rnn(hidden=8)


@pytest.mark.parametrize("z", ["sample", "mean"])
def test_c_sees_of_a_recording_what_it_saw_driving(compiled, tmp_path, z):
    seeds.seed_everything(0)
    encoder, rnn = build_encoder(CAR_RACING_V3.z_size), MDNRNN(SETTINGS, CAR_RACING_V3)
    weights = encoder.get_weights(), rnn.get_weights()
    parts = AgentParts(CAR_RACING_V3, *weights, SETTINGS, "z_c_h", z)
    world = RealWorld(CAR_RACING_V3, [CAR_RACING_V3.make_env()], WorldModel(parts))
    frames, inputs = [], []

    def watch(slot, episode, seen, action):
        frames.append(world.frames[slot].copy())
        inputs.append(np.concatenate([seen.z[slot], seen.c[slot], seen.h[slot]]))

    count = parts.controller.parameter_count
    flat = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    trials, controllers = [Trial(7, flat, max_steps=STEPS)], LinearControllers(parts.controller)
    ((_, episode),) = drive(world, controllers, trials, watch=watch)
    path = episode_path(tmp_path, episode.seed)
    packed = pack_episode(frames, episode.actions, episode.rewards, episode.terminated)
    path.write_bytes(packed)

    (recorded,) = inputs_of_c(parts, [Recorded(path, STEPS)])
    assert recorded.shape == (STEPS, 32 + 8 + 8)
    assert not recorded[0, 32:].any()  # h_0 and c_0
    # V's mu and logvar are stored in half precision
    np.testing.assert_allclose(recorded, np.stack(inputs), atol=5e-3)
    assert np.abs(recorded[1:, 32:]).max() > 0.1
