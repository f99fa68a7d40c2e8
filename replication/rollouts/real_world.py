"""The game itself as a world: environments, seen through V and remembered by M."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from replication.rollouts.loop import Seen, Trial
from replication.tasks.task import Task

import gymnasium
import numpy as np

if TYPE_CHECKING:  # blind policies need no TensorFlow
    from replication.rollouts.agent import WorldModel


class RealWorld:
    """Environments stepped one after the other, seen through V and remembered by M.

    Without a world model nothing is seen: for policies that act blindly.
    """

    def __init__(
        self,
        task: Task,
        envs: Sequence[gymnasium.Env],
        model: "WorldModel | None" = None,
        max_steps: int | None = None,
        frames: str = "plain",
    ):
        """frames: which of the task's frames V sees."""
        self.envs, self.model, self.to_frame = envs, model, task.frames[frames]
        self.max_steps = max_steps or task.max_steps
        self.idle_reward, self.idle_below = task.idle_reward or 0.0, 0.0
        self.width = len(envs)
        rows = len(model.z) if model else self.width  # V's call has one shape: the rest stays black
        self.frames = np.zeros((rows, 64, 64, 3), np.uint8)  # x_t of each slot

    def begin(self, slot: int, trial: Trial) -> None:
        """Reset the slot's environment to the trial's seed."""
        obs, _ = self.envs[slot].reset(seed=trial.seed)
        self.frames[slot] = self.to_frame(obs)
        if self.model:
            self.model.begin(slot, trial.seed)

    def see(self) -> Seen | None:
        """z_t, h_t and c_t of the model's rows, the idle ones included."""
        return self.model.see(self.frames) if self.model else None

    def step(self, slots: Sequence[int], actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rewards float64 (B,) and ends bool (B,) of actions (B, A) in these slots."""
        rewards, ended = np.zeros(self.width), np.zeros(self.width, bool)
        for slot in slots:
            obs, rewards[slot], ended[slot], _, _ = self.envs[slot].step(actions[slot])
            self.frames[slot] = self.to_frame(obs)
        if self.model:
            self.model.act(actions)
        return rewards, ended
