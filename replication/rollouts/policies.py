"""Who drives while rollouts are recorded: a random policy of the task, or an agent with noise."""

from collections.abc import Iterator

from replication.rollouts.loop import Acting, Seen, Trial
from replication.runs.seeds import Purpose, generator
from replication.tasks.task import RandomPolicy

import numpy as np


class RandomActions:
    """A random policy of a task, in one slot: its actions follow from the episode's seed alone."""

    def __init__(self, policy: RandomPolicy):
        self.policy = policy
        self.actions: Iterator[np.ndarray] = iter(())

    def begin(self, slot: int, trial: Trial) -> None:
        self.actions = self.policy(generator(trial.seed, Purpose.RECORDING))

    def act(self, seen: Seen | None) -> np.ndarray:
        """a_t float32 (1, A)."""
        return np.float32([next(self.actions)])


class NoisyAgent:
    """An agent with other noise on its C in each episode: what it does well, and badly.

    For the second round of the paper's iterative procedure (section 5).
    """

    def __init__(self, controllers: Acting, parameters: np.ndarray, noise: float):
        """noise: the standard deviation of the noise on C's parameters (P,), at most."""
        self.controllers, self.parameters, self.noise = controllers, parameters, noise

    def begin(self, slot: int, trial: Trial) -> None:
        random = generator(trial.seed, Purpose.RECORDING)
        spread = random.uniform(0, self.noise)
        noise = random.standard_normal(self.parameters.shape) * spread
        self.controllers.begin(slot, Trial(trial.seed, np.float32(self.parameters + noise)))

    def act(self, seen: Seen) -> np.ndarray:
        """a_t float32 (B, A)."""
        return self.controllers.act(seen)
