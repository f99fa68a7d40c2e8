"""z of every frame of a dream: of C driving in it, or under given actions."""

from collections.abc import Sequence

from replication.rollouts.loop import Acting, Episode, Seen, Trial, World, drive
from replication.runs.seeds import Purpose, derive_seed

import numpy as np


def dream_path(
    world: World, controller: Acting, trial: Trial, steps: int
) -> tuple[np.ndarray, list[Episode]]:
    """z (T, Z) of so many steps in a dream with one slot, and its episodes.

    The first episode is the trial's. One that ends is followed by another, whose seed follows from
    the trial's.
    """
    path: list[np.ndarray] = []
    episodes: list[Episode] = []
    seed = trial.seed

    def keep_z(slot: int, episode: Episode, seen: Seen, action: np.ndarray) -> None:
        path.append(seen.z[slot].copy())

    while len(path) < steps:
        rest = Trial(seed, trial.parameters, max_steps=steps - len(path))
        episodes += [episode for _, episode in drive(world, controller, [rest], watch=keep_z)]
        seed = derive_seed(trial.seed, Purpose.DREAM, len(episodes))
    return np.stack(path), episodes


class GivenActions:
    """The actions (T, A) of a recorded episode, taken again in one slot."""

    def __init__(self, actions: np.ndarray):
        self.actions = actions

    def begin(self, slot: int, trial: Trial) -> None:
        self.step = 0

    def act(self, seen: Seen | None) -> np.ndarray:
        """a_t float32 (1, A)."""
        self.step += 1
        return self.actions[self.step - 1][None]


def dream_along(world: World, actions: np.ndarray, seed: int) -> np.ndarray:
    """z (T, Z) of a dream under given actions (T, A), whether it ends meanwhile or not."""
    path: list[np.ndarray] = []

    def keep_z(slot: int, episode: Episode, seen: Seen, action: np.ndarray) -> None:
        path.append(seen.z[slot].copy())

    trials: Sequence[Trial] = [Trial(seed, max_steps=len(actions))]
    for _ in drive(world, GivenActions(actions), trials, stop_at_end=False, watch=keep_z):
        pass
    return np.stack(path)
