"""M's dream of a game as a world: one step of its LSTM a frame, no environment and no V."""

from collections.abc import Sequence

from replication.rnn.dream import Dreams, Starts
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import WIDTH
from replication.rollouts.loop import Seen, Trial
from replication.runs.seeds import Purpose, generator

import numpy as np


class DreamWorld:
    """Dreams of M in B slots."""

    def __init__(
        self,
        rnn: MDNRNN,
        starts: Starts,
        temperature: float = 1.0,
        width: int = WIDTH,
        max_steps: int | None = None,
        component: int | None = None,
        purpose: Purpose = Purpose.DREAM,
    ):
        """component as in Dreams; purpose: what the dreams' random numbers are for."""
        self.dreams = Dreams(rnn, starts, temperature, width, component)
        self.width, self.purpose = width, purpose
        self.max_steps = max_steps or rnn.task.max_steps
        self.idle_reward = rnn.task.idle_reward or 0.0

    def begin(self, slot: int, trial: Trial) -> None:
        """Start a dream that follows from the trial's seed."""
        self.dreams.begin(slot, generator(trial.seed, self.purpose))

    def see(self) -> Seen:
        """z_t, h_t and c_t of every slot."""
        return Seen(self.dreams.z, self.dreams.h, self.dreams.c)

    def step(self, slots: Sequence[int], actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What M expects a_t (B, A) to earn, float32 (B,), and whether it ends, bool (B,)."""
        return self.dreams.step(actions)
