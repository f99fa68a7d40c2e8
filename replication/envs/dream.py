"""The dream as a gymnasium environment, seen through V's decoder (World Models, 4 and A.2).

    env = DreamEnv(load_rnn(folder), mu, logvar, temperature=0.7)

load_rnn is of rollouts/agent_files.py; mu and logvar are V's of the frames that dreams start from.
Many dreams at once: dream_vector.py.
"""

from replication.rnn.dream import Dreams, Ends, Starts
from replication.rnn.rnn import MDNRNN
from replication.tf import keras
from replication.vae.vae import decode

import numpy as np
from gymnasium import Env, spaces


class DreamEnv(Env):
    """One dream as a gymnasium environment; how long it may last is for TimeLimit to say.

    Observations are z, float32 (Z,), or with `memory` z and h, float32 (Z + H,), or with `frames`
    what V's decoder makes of z, uint8 (64, 64, 3). Rewards and ends are M's where it has heads for
    them, else 0 and never.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}

    def __init__(
        self,
        rnn: MDNRNN,
        mu: np.ndarray,
        logvar: np.ndarray,
        decoder: keras.Model | None = None,
        frames: bool = False,
        temperature: float = 1.0,
        render_mode: str | None = None,
        component: int | None = None,
        memory: bool = False,
        ends: Ends = "drawn",
    ):
        """mu, logvar (N, Z): V's posterior at recorded first frames, which dreams start from.

        component: the only one of M's Gaussians, 0..K-1, that z is drawn from; None: the mixture.
        ends: by lot, or where M gives the end half a chance.
        """
        if decoder is None and (frames or render_mode):
            raise ValueError("frames need V's decoder")
        self.dreams = Dreams(rnn, Starts(mu, logvar), temperature, component=component)
        self.decoder, self.frames, self.render_mode = decoder, frames, render_mode
        self.memory, self.ends = memory, ends
        self.action_space = action_space(rnn)
        self.metadata = self.metadata | {"render_fps": rnn.task.fps}
        self.observation_space = observation_space(rnn, frames, memory)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.dreams.begin(0, draw_key(self.np_random))
        return self._observation(), {}

    def step(self, action: np.ndarray):
        (reward,), (ended,) = self.dreams.outcome(action[None], self.ends)
        return self._observation(), float(reward), bool(ended), False, {}

    def render(self) -> np.ndarray | None:
        """The dream's frame as V decodes it, uint8 (64, 64, 3)."""
        return decode(self.decoder, self.dreams.z)[0] if self.render_mode == "rgb_array" else None

    def _observation(self) -> np.ndarray:
        return observe(self.dreams, self.decoder if self.frames else None, self.memory)[0]


# What one dream and many have in common ------------------------------------------------------


def action_space(rnn: MDNRNN) -> spaces.Box:
    """The actions of M's game."""
    return spaces.Box(np.float32(rnn.task.action_low), np.float32(rnn.task.action_high))


def observation_space(rnn: MDNRNN, frames: bool, memory: bool) -> spaces.Box:
    """Of a single dream."""
    if frames:
        return spaces.Box(0, 255, (64, 64, 3), np.uint8)
    size = rnn.task.z_size + (rnn.config.hidden if memory else 0)
    return spaces.Box(-np.inf, np.inf, (size,), np.float32)


def observe(dreams: Dreams, decoder: keras.Model | None, memory: bool) -> np.ndarray:
    """New arrays of what is seen of B dreams: frames (B, 64, 64, 3) if there is a decoder.

    Else z, float32 (B, Z), or z and h, float32 (B, Z + H).
    """
    if decoder:
        return decode(decoder, dreams.z)
    return np.concatenate([dreams.z, dreams.h], axis=1) if memory else dreams.z


def draw_key(random: np.random.Generator) -> int:
    """The key of the next dream: 64 bits, from which all in it follows."""
    return int(random.integers(2**64, dtype=np.uint64))
