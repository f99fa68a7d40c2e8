"""What C would have seen in recorded rollouts: V and M watch them, C's inputs are kept.

mu and logvar are cut to half precision on the way, as in the series that M is trained on.
"""

from replication.config import Config
from replication.dataset.episodes import Recorded, list_episodes, read_episode
from replication.dataset.series import encode
from replication.rnn.memory import memories
from replication.rollouts.agent import AgentParts
from replication.runs.seeds import Purpose, generator
from replication.tf import tf
from replication.vae.vae import sample_z, to_float

import numpy as np
from tqdm import tqdm

EPISODES = 50  # ours: of a set of rollouts, evenly spread


def some_episodes(config: Config) -> list[Recorded]:
    """Up to EPISODES of the run's rollouts."""
    episodes = list_episodes(config)
    places = np.linspace(0, len(episodes) - 1, min(EPISODES, len(episodes)))
    return [episodes[int(place)] for place in places]


def inputs_of_c(parts: AgentParts, episodes: list[Recorded]) -> list[np.ndarray]:
    """C's inputs at each frame of each episode, as M is told the actions: float32 (T, I) each."""
    encoder, rnn = parts.build_encoder(), parts.build_rnn()
    see = tf.function(lambda obs: encoder(to_float(obs)))
    inputs = []
    for episode in tqdm(episodes, "controller", unit="episode"):
        obs, action = read_episode(episode.path, "obs", "action")
        z, logvar = (part.astype(np.float32) for part in encode(see, obs))
        if parts.z == "sample":
            random = generator(episode.seed, Purpose.Z_NOISE)
            z = sample_z(z, logvar, random.standard_normal(z.shape, np.float32))
        h, c = memories(rnn, z, action)
        inputs.append(parts.controller.features(z, h, c).numpy())
    return inputs
