"""What C would have seen of recorded rollouts: V and M watch them, C's inputs are kept.

To half precision, which mu and logvar are encoded to.
"""

from replication.config import Config
from replication.controller.controller import features
from replication.dataset.episodes import Recorded, list_episodes, read_episode
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import Weights
from replication.runs import folders
from replication.series import encode
from replication.tf import tf
from replication.vae.vae import build_encoder, sample_z, to_float

import numpy as np
from tqdm import tqdm

EPISODES = 50  # ours: of a set of rollouts, evenly spread


def some_episodes(config: Config) -> list[Recorded]:
    """Up to EPISODES of the run's rollouts."""
    episodes = list_episodes(folders.record_folder(config), config.extract.skip_bad)
    places = np.linspace(0, len(episodes) - 1, min(EPISODES, len(episodes)))
    return [episodes[int(place)] for place in places]


def inputs_of_c(weights: Weights, episodes: list[Recorded]) -> list[np.ndarray]:
    """C's inputs at each frame of each episode, as M is told the actions: float32 (T, I) each."""
    encoder, rnn = build_encoder(), MDNRNN(weights.rnn_config)
    encoder.set_weights(weights.encoder)
    rnn.set_weights(weights.rnn)
    see = tf.function(lambda obs: encoder(to_float(obs)))
    remember = tf.function(lambda z, action: memories(rnn, z, action), reduce_retracing=True)
    seen = []
    for episode in tqdm(episodes, "controller", unit="episode"):
        obs, action = read_episode(episode.path, "obs", "action")
        z, logvar = (part.astype(np.float32) for part in encode(see, obs))
        if weights.z == "sample":
            noise = np.random.default_rng([episode.seed, 1]).standard_normal(z.shape, np.float32)
            z = sample_z(z, logvar, noise)
        h, c = remember(tf.constant(z), tf.constant(action))
        seen.append(features(weights.mode, z, h, c).numpy())
    return seen


def memories(rnn: MDNRNN, z, action):
    """z (T, Z), action (T, A) -> what M remembers when it sees each frame: h_t, c_t (T, H)."""

    def step(state, seen):
        return rnn.step(seen[0][None], seen[1][None], *state)

    nothing = tf.zeros((1, rnn.config.hidden))
    later = tf.scan(step, (z, action), [nothing, nothing])  # h_{t+1}, c_{t+1}: (T, 1, H)
    return [tf.concat([nothing, values[:-1, 0]], axis=0) for values in later]
