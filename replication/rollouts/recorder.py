"""Driving as M learns from it, kept while it happens: what V made of the frames, not the frames."""

from replication.rollouts.loop import Episode, Seen
from replication.rollouts.real_world import RealWorld

import numpy as np


class Recorder:
    """A watch for `drive`: keeps V's mu and logvar of every frame of an agent's episodes."""

    def __init__(self, world: RealWorld):
        self.model = world.model
        # Of each episode that runs, by its identity: several can have the same seed.
        self.seen: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}

    def watch(self, slot: int, episode: Episode, seen: Seen, action: np.ndarray) -> None:
        """Called by the loop before each step."""
        frame = self.model.mu[slot], self.model.logvar[slot]
        self.seen.setdefault(id(episode), []).append(frame)

    def take(self, episode: Episode) -> dict[str, np.ndarray]:
        """An episode that has ended, as series have it: mu, logvar (T, Z), action (T, A), reward
        and terminated (T,).
        """
        mu, logvar = zip(*self.seen.pop(id(episode)), strict=True)
        return {
            "mu": np.float16(mu),
            "logvar": np.float16(logvar),
            "action": np.float32(episode.actions),
            "reward": np.float32(episode.rewards),
            "terminated": np.array(episode.terminated),
        }
