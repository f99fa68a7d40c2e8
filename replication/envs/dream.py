"""The dream as a gymnasium environment, seen through V's decoder (World Models, 4 and A.2).

    env = DreamEnv(load_rnn(folder), mu, logvar, temperature=0.7)

load_rnn is of rollouts/agent_files.py; mu and logvar are V's of the frames that dreams start from.
"""

from replication.rnn.dream import Dreams, Starts
from replication.rnn.rnn import MDNRNN
from replication.tf import keras
from replication.vae.vae import decode

import numpy as np
from gymnasium import Env, spaces


class DreamEnv(Env):
    """One dream as a gymnasium environment; how long it may last is for TimeLimit to say.

    Observations are z, float32 (Z,), or with `frames` what V's decoder makes of it, uint8
    (64, 64, 3). Rewards and ends are M's where it has heads for them, else 0 and never.
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
    ):
        """mu, logvar (N, Z): V's posterior at recorded first frames, which dreams start from.

        component: the only one of M's Gaussians, 0..K-1, that z is drawn from; None: the mixture.
        """
        if decoder is None and (frames or render_mode):
            raise ValueError("frames need V's decoder")
        self.dreams = Dreams(rnn, Starts(mu, logvar), temperature, component=component)
        self.decoder, self.frames, self.render_mode = decoder, frames, render_mode
        low, high = np.float32(rnn.task.action_low), np.float32(rnn.task.action_high)
        self.action_space = spaces.Box(low, high)
        self.metadata = self.metadata | {"render_fps": rnn.task.fps}
        self.observation_space = (
            spaces.Box(0, 255, (64, 64, 3), np.uint8)
            if frames
            else spaces.Box(-np.inf, np.inf, (rnn.task.z_size,), np.float32)
        )

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.dreams.begin(0, int(self.np_random.integers(2**64, dtype=np.uint64)))
        return self._observation(), {}

    def step(self, action: np.ndarray):
        (reward,), (end,) = self.dreams.rnn.task.dream_outcome(self.dreams.step(action[None]), 1)
        ended = bool(self.dreams.uniform[0] < end)
        return self._observation(), float(reward), ended, False, {}

    def render(self) -> np.ndarray | None:
        """The dream's frame as V decodes it, uint8 (64, 64, 3)."""
        return self._frame() if self.render_mode == "rgb_array" else None

    def _observation(self) -> np.ndarray:
        return self._frame() if self.frames else self.dreams.z[0].copy()

    def _frame(self) -> np.ndarray:
        return decode(self.decoder, self.dreams.z)[0]
