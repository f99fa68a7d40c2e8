"""An agent on one track as a video: the environment, what V makes of it, and a dream.

The dream starts from the track's first frame; from there on M alone answers what C does.
"""

from pathlib import Path

from replication.dream import dream_of_agent, load_decoder
from replication.envs.dream import FPS, Dreams, decode
from replication.report import video
from replication.rollouts.agent import Agent, Weights
from replication.rollouts.loop import Episode, Task, drive
from replication.vae.vae import to_float

import gymnasium
import numpy as np
from PIL import Image

TIMES = {".mp4": 4, ".gif": 2}  # how much V's frames are enlarged


class Recorder:
    """Keeps what the environment shows, as squares, and the agent's z of every frame."""

    def __init__(self, agent: Agent, size: int):
        self.agent, self.size = agent, size
        self.shown: list[np.ndarray] = []  # (size, size, 3)
        self.z: list[np.ndarray] = []
        self.first: np.ndarray | None = None  # x_0

    def watch(self, env: gymnasium.Env, frame: np.ndarray, action: np.ndarray) -> None:
        if self.first is None:
            self.first = frame.copy()
        picture = Image.fromarray(env.render()[:, 100:500])  # of (400, 600, 3)
        self.shown.append(np.asarray(picture.resize((self.size, self.size))))
        self.z.append(self.agent.z[0].copy())


def write_video(
    folder: Path, weights: Weights, parameters: np.ndarray, seed: int, path: Path
) -> Episode:
    """Drive the track of a seed on stock, and dream as long; returns the episode.

    folder: of the agent, for V's decoder. path: an .mp4 of 50 frames a second, or a .gif.
    """
    times = TIMES[path.suffix]
    env = gymnasium.make("CarRacing-v3", render_mode="rgb_array")
    agent, decoder = Agent(weights), load_decoder(folder)
    recorder = Recorder(agent, 64 * times)
    ((_, episode),) = drive([env], agent, [Task(seed, parameters)], watch=recorder.watch)
    env.close()
    mu, logvar = agent.encoder(to_float(recorder.first[None]))
    dreams, random = Dreams(agent.rnn, mu, logvar), np.random.default_rng([seed, 16])
    dream, _, _ = dream_of_agent(dreams, weights.mode, parameters, random, len(recorder.z))
    panels = {
        "environment": np.stack(recorder.shown),
        "reconstruction": decode(decoder, np.stack(recorder.z)),
        "dream": decode(decoder, dream),
    }
    video.write(path, video.side_by_side(panels, times), FPS)
    return episode
