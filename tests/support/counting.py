"""A game that counts, and a world of it: every frame says which one it is, every reward of what."""

import dataclasses

from replication.rollouts.loop import Seen, Trial
from replication.rollouts.real_world import RealWorld
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.task import Task

import numpy as np


class CountingEnv:
    """Frame t of the track `seed` is t in red, seed in green, and 7 in blue, everywhere.

    a_t earns 1000 * (t + 1) + its steering; the episode is over with a_{length - 1}, where length
    is 3 + seed % 5 unless it is given.
    """

    def __init__(self, length: int | None = None):
        self.fixed_length = length
        self.taken: list[tuple[int, int, np.ndarray]] = []  # seed, t, a_t
        self.is_open = True

    def reset(self, seed: int):
        self.seed, self.time = seed, 0
        self.length = self.fixed_length or 3 + seed % 5
        return self.picture(), {}

    def step(self, action):
        self.taken.append((self.seed, self.time, action.copy()))
        self.time += 1
        reward = 1000.0 * self.time + float(action[0])
        return self.picture(), reward, self.time >= self.length, False, {}

    def picture(self) -> np.ndarray:
        picture = np.empty((96, 96, 3), np.uint8)
        picture[:] = (self.time % 256, self.seed % 256, 7)
        picture[84:] = 255  # the indicator bar: nobody must see it
        return picture

    def render(self) -> np.ndarray:
        """Wider than it is high, as CarRacing's window: red at the sides, which no square has."""
        picture = np.empty((40, 60, 3), np.uint8)
        picture[:] = (self.time % 256, self.seed % 256, 8)
        picture[:, :10] = picture[:, 50:] = (255, 0, 0)
        return picture

    def close(self) -> None:
        self.is_open = False


def counting_task(length: int | None = None, **fields) -> Task:
    """The car's task in a CountingEnv; `fields` replace its own."""
    make_env = lambda stock=False, render_mode=None: CountingEnv(length)  # noqa: E731
    return dataclasses.replace(CAR_RACING_V3, name="counting", make_env=make_env, **fields)


def counting_world(*envs, model=None, max_steps: int | None = None) -> RealWorld:
    """Environments, seen through a model or by nobody; 1000 steps at most."""
    return RealWorld(counting_task(), envs, model, max_steps)


class Reader:
    """In the place of V and M: z_t is (t, seed) / 1000, read from the frame of each row."""

    def __init__(self, rows: int):
        self.z = np.zeros((rows, 2), np.float32)
        self.begun: list[tuple[int, int]] = []  # row, seed
        self.actions: list[np.ndarray] = []  # those of each step

    def begin(self, row: int, seed: int) -> None:
        self.begun.append((row, seed))

    def see(self, frames: np.ndarray) -> Seen:
        assert frames.dtype == np.uint8
        assert frames.shape == (len(self.z), 64, 64, 3)
        self.z = np.float32(frames[:, 32, 32, :2]) / 1000
        return Seen(self.z, self.z, self.z)

    def act(self, actions: np.ndarray) -> None:
        self.actions.append(actions.copy())


class Echo:
    """a_t says which frame it answers, (t / 1000, 0, seed / 1000); keeps what it is given."""

    def __init__(self):
        self.begun: list[tuple[int, Trial]] = []
        self.calls = 0

    def begin(self, slot: int, trial: Trial) -> None:
        self.begun.append((slot, trial))

    def act(self, seen: Seen) -> np.ndarray:
        self.calls += 1
        time, seed = seen.z.T
        return np.stack([time, 0 * time, seed], axis=1)
