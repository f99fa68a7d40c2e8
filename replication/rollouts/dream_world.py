"""M's dream of a game as a world: one step of its LSTM a frame, no environment and no V."""

from collections.abc import Sequence
from dataclasses import dataclass

from replication.config import Dream
from replication.rnn.dream import Dreams, Ends, Starts
from replication.rnn.rnn import MDNRNN
from replication.rollouts.loop import Seen, Trial
from replication.runs.seeds import Purpose, derive_key

import numpy as np

WIDTH = 64  # dreams together: products of more rows are hardly faster


@dataclass(frozen=True)
class DreamRules:
    """How a dream goes, apart from M and from where it starts."""

    temperature: float = 1.0
    max_steps: int | None = None  # None: as many as the game's episodes have
    ends: Ends = "drawn"
    cap: float = 0.0  # what a step may earn on the average; 0: anything
    excess: float = 0.0  # what it costs to earn 1 above the cap
    component: int | None = None  # of M's mixture, the only one that z is drawn from; None: all


def dream_rules(settings: Dream, max_steps: int) -> DreamRules:
    """The rules of a run's dreams; max_steps: of the game's episodes."""
    steps = settings.steps or max_steps
    return DreamRules(settings.temperature, steps, settings.ends, settings.cap, settings.excess)


class DreamWorld:
    """Dreams of M in B slots."""

    def __init__(
        self,
        rnn: MDNRNN,
        starts: Starts,
        rules: DreamRules | None = None,
        width: int = WIDTH,
        purpose: Purpose = Purpose.DREAM,
    ):
        """purpose: what the dreams' random numbers are for."""
        rules = rules or DreamRules()
        self.dreams = Dreams(
            rnn, starts, rules.temperature, width, rules.component, rules.cap, rules.excess
        )
        self.rules, self.width, self.purpose = rules, width, purpose
        self.max_steps = rules.max_steps or rnn.task.max_steps
        self.idle_reward, self.idle_below = 0.0, rnn.task.dream_idle

    def begin(self, slot: int, trial: Trial) -> None:
        """Start a dream that follows from the trial's seed."""
        self.dreams.begin(slot, derive_key(trial.seed, self.purpose))

    def see(self) -> Seen:
        """z_t, h_t and c_t of every slot."""
        return Seen(self.dreams.z, self.dreams.h, self.dreams.c)

    def step(self, slots: Sequence[int], actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What M expects a_t (B, A) to earn, float32 (B,), and whether it ends, bool (B,)."""
        return self.dreams.outcome(actions, self.rules.ends)
