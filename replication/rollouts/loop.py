"""B episodes in lockstep: the one loop that extract, train_controller and evaluate share.

x_t, then a_t from everything seen up to x_t, then the step that earns reward[t] and shows x_{t+1}.
A slot whose episode ends takes the next one of the queue, so that no slot stands idle before the
queue is empty; what an episode returns depends on its seed and its policy, never on its slot.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from replication.config import Env
from replication.envs.rendering.resize import to_frame

import gymnasium
import numpy as np

STANDING = -0.1  # reward of a frame that finds no new tile (CarRacing)


@dataclass(frozen=True)
class Task:
    """One episode to be driven: its track and its noise follow from `seed`."""

    seed: int
    parameters: np.ndarray | None = None  # C's flat vector, where the policy is an agent
    patience: int = 0  # frames without a new tile after which the car is given up; 0: never
    max_steps: int | None = None  # frames at most, where the drive's own limit is higher


@dataclass
class Episode:
    """An episode, driven: its frames are kept only where they are asked for."""

    seed: int
    rewards: list[float] = field(default_factory=list)
    terminated: list[bool] = field(default_factory=list)
    actions: list[np.ndarray] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)
    undriven: int = 0  # frames left when the car was given up

    @property
    def total(self) -> float:
        """The return: the sum of the rewards, a car that was given up standing still to the end."""
        return float(sum(self.rewards)) + STANDING * self.undriven


class Policy(Protocol):
    """Acts for every slot at once."""

    def begin(self, slot: int, task: Task) -> None:
        """Forget the slot's last episode; the next frame there is the first of `task`."""

    def act(self, frames: np.ndarray) -> np.ndarray:
        """frames uint8 (B, 64, 64, 3) -> actions float32 (B, 3); idle slots' are not used."""


def make_env(config: Env) -> gymnasium.Env:
    """An environment for rollouts: the fast one, or stock; the same pixels, rows 0..83 at least."""
    if config.stock:
        return gymnasium.make("CarRacing-v3")
    from replication.envs.car_racing import FastCarRacing  # compiles on first use

    return FastCarRacing(state_rows=84)


def drive(
    envs: Sequence[gymnasium.Env],
    policy: Policy,
    tasks: Sequence[Task],
    max_steps: int = 1000,
    stop_at_end: bool = True,
    keep_frames: bool = False,
    watch: Callable[[gymnasium.Env, np.ndarray, np.ndarray], None] | None = None,
) -> Iterator[tuple[int, Episode]]:
    """Drive every task and yield (its place in `tasks`, its episode) as episodes end.

    stop_at_end: an episode ends when it is terminated (else only after max_steps frames).
    watch(env, frame, action) is called before each step of each episode.
    """
    queue = iter(enumerate(tasks))
    frames = np.zeros((len(envs), 64, 64, 3), np.uint8)
    running: dict[int, tuple[int, Episode]] = {}  # slot -> place in `tasks`, episode
    for slot, (place, task) in zip(range(len(envs)), queue, strict=False):
        running[slot] = place, _begin(envs, policy, frames, slot, task)
    while running:
        actions = policy.act(frames)
        for slot, (place, episode) in list(running.items()):
            if watch:
                watch(envs[slot], frames[slot], actions[slot])
            _step(envs[slot], frames[slot], actions[slot], episode, keep_frames)
            limit = min(max_steps, tasks[place].max_steps or max_steps)
            left = limit - len(episode.rewards)
            ended = stop_at_end and episode.terminated[-1]
            if not ended and _lost(episode, tasks[place].patience):
                ended, episode.undriven = True, left
            if ended or not left:
                yield place, episode
                del running[slot]
                if (following := next(queue, None)) is not None:
                    place, task = following
                    running[slot] = place, _begin(envs, policy, frames, slot, task)


def _lost(episode: Episode, patience: int) -> bool:
    """Whether the last `patience` frames have found no new tile."""
    return 0 < patience <= len(episode.rewards) and max(episode.rewards[-patience:]) < 0


def _begin(envs, policy: Policy, frames: np.ndarray, slot: int, task: Task) -> Episode:
    obs, _ = envs[slot].reset(seed=task.seed)
    frames[slot] = to_frame(obs)
    policy.begin(slot, task)
    return Episode(task.seed)


def _step(env, frame: np.ndarray, action: np.ndarray, episode: Episode, keep_frame: bool) -> None:
    """Record x_t, a_t and what a_t earned, and put x_{t+1} in the place of x_t."""
    if keep_frame:
        episode.frames.append(frame.copy())
    obs, reward, terminated, _, _ = env.step(action)
    episode.actions.append(action.copy())
    episode.rewards.append(float(reward))
    episode.terminated.append(bool(terminated))
    frame[:] = to_frame(obs)
