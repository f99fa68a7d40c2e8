"""Who drives while rollouts are recorded: a random policy, or an agent that is disturbed."""

import itertools
from collections.abc import Iterator

from replication.rollouts.loop import Acting, Seen, Trial
from replication.runs.seeds import Purpose, generator
from replication.tasks.task import RandomPolicy, Task

import numpy as np


class RandomActions:
    """A random policy of a task: an episode's actions follow from its seed alone."""

    def __init__(self, policy: RandomPolicy, action_size: int, width: int = 1):
        self.policy = policy
        idle = np.zeros(action_size)
        self.actions: list[Iterator[np.ndarray]] = [itertools.repeat(idle)] * width

    def begin(self, slot: int, trial: Trial) -> None:
        self.actions[slot] = self.policy(generator(trial.seed, Purpose.RECORDING))

    def act(self, seen: Seen | None) -> np.ndarray:
        """a_t float32 (B, A)."""
        return np.float32([next(actions) for actions in self.actions])


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


class Bursts:
    """An agent; in trials with bursts, random actions take the wheel for some frames at a time.

    For rounds of dreams: M sees what follows from what the agent itself would not do.
    """

    DRIVES, BURST = (20, 120), (3, 36)  # frames: least and most, the latter excluded

    def __init__(self, controllers: Acting, task: Task, width: int):
        self.controllers = controllers
        self.low, self.high = np.float32(task.action_low), np.float32(task.action_high)
        self.plans: list[Iterator[np.ndarray | None]] = [iter(())] * width

    def begin(self, slot: int, trial: Trial) -> None:
        self.controllers.begin(slot, trial)
        random = generator(trial.seed, Purpose.RECORDING)
        self.plans[slot] = self._plan(random) if trial.bursts else itertools.repeat(None)

    def _plan(self, random: np.random.Generator) -> Iterator[np.ndarray | None]:
        """For each frame the random action (A,), or None where the agent acts."""
        while True:
            yield from itertools.repeat(None, random.integers(*self.DRIVES))
            action = np.float32(random.uniform(self.low, self.high))
            yield from itertools.repeat(action, random.integers(*self.BURST))

    def act(self, seen: Seen) -> np.ndarray:
        """a_t float32 (B, A)."""
        actions = self.controllers.act(seen).copy()
        for slot, plan in enumerate(self.plans):
            if (forced := next(plan, None)) is not None:
                actions[slot] = forced
        return actions
