"""What several test files share: a temporary home, made-up episodes, an environment that counts."""

from pathlib import Path

import numpy as np
import pytest

from replication import runs


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A repository of this test's own: checkpoints/ and data/ are made here."""
    monkeypatch.setattr(runs, "HOME", tmp_path)
    return tmp_path


def _write_episode(folder: Path, seed: int, length: int = 12, **arrays) -> Path:
    """A recorded episode of DESIGN's format: frame t is (t, seed, t + seed) everywhere, mod 256.

    action[t] = (t, seed, t + seed) / 1000, reward[t] = t, terminated nowhere; `arrays` replace
    these. Returns its path.
    """
    time = np.arange(length)
    signs = np.stack([time, np.full(length, seed), time + seed], axis=1)  # (T, 3)
    made_up = {
        "obs": np.broadcast_to(np.uint8(signs % 256)[:, None, None], (length, 64, 64, 3)),
        "action": np.float32(signs / 1000),
        "reward": np.float32(time),
        "terminated": np.zeros(length, bool),
    }
    path = folder / f"{seed:010d}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **(made_up | arrays))
    return path


@pytest.fixture
def write_episode():
    return _write_episode


class CountingEnv:
    """Frame t of the track `seed` is t in red, seed in green, and 7 in blue, everywhere.

    a_t earns 1000 * (t + 1) + its steering; the episode is over with a_{length - 1}, where length
    is 3 + seed % 5 unless it is given.
    """

    def __init__(self, length: int | None = None):
        self.fixed_length = length
        self.given: list[tuple[int, int, np.ndarray]] = []  # seed, t, a_t

    def reset(self, seed: int):
        self.seed, self.time = seed, 0
        self.length = self.fixed_length or 3 + seed % 5
        return self.picture(), {}

    def step(self, action):
        self.given.append((self.seed, self.time, action.copy()))
        self.time += 1
        reward = 1000.0 * self.time + float(action[0])
        return self.picture(), reward, self.time >= self.length, False, {}

    def picture(self) -> np.ndarray:
        picture = np.empty((96, 96, 3), np.uint8)
        picture[:] = (self.time % 256, self.seed % 256, 7)
        picture[84:] = 255  # the indicator bar: nobody must see it
        return picture


@pytest.fixture
def counting_env():
    return CountingEnv
