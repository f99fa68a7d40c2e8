"""Recordings, and what the page finds in them."""

import dataclasses

from replication.article import recordings
from replication.article.recordings import Recording
from replication.config import UserError
from replication.presets import PRESETS
from replication.runs import folders

import numpy as np
import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")


def see(frames):
    """A V that keeps a frame's first pixel: mu (B, 1) is its red, logvar its green."""
    return frames[:, 0, 0, :1], frames[:, 0, 0, 1:2]


def test_held_out_rollouts_come_first(home, write_episode):
    folder = folders.record_folder(CONFIG)
    for seed in (1, 2, 20):
        write_episode(folder, seed, length=500 if seed == 20 else 12)
    first, second = recordings.rollouts(CONFIG, see)
    assert (len(first.obs), len(second.obs)) == (recordings.FRAMES, 12)
    assert first.title == "Recorded episode 20, policy brownian" and second.title[17:19] == "1,"
    assert first.obs[7, 0, 0].tolist() == [7, 20, 27]
    assert first.mu[7] == np.float16(7 / 255) and first.logvar[7] == np.float16(20 / 255)
    assert first.action.shape == (recordings.FRAMES, 3)


def test_no_rollouts_are_named(home):
    with pytest.raises(UserError, match="holds no episode: run extract.py"):
        recordings.rollouts(CONFIG, see)


def recording(length: int, mu: float, logvar: float) -> Recording:
    shape = (length, 2)
    return Recording(
        "", np.zeros((length, 64, 64, 3), np.uint8), np.zeros((length, 1), np.float32),
        np.full(shape, mu, np.float16), np.full(shape, logvar, np.float16),
    )  # fmt: skip


def test_nats_are_the_mean_kl_over_all_frames():
    carried = recordings.nats([recording(3, 2.0, 0.0), recording(1, 0.0, 0.0)])
    np.testing.assert_allclose(carried, [3 / 4 * 2.0] * 2)  # mu^2 / 2 of three frames in four
    narrow = recordings.nats([recording(1, 0.0, -2.0)])
    np.testing.assert_allclose(narrow, (np.exp(-2) - 1 + 2) / 2, rtol=1e-6)


def test_starts_are_spread_over_the_recordings():
    starts = recordings.starts([recording(30, 0, 0), recording(10, 0, 0)])
    assert [start["recording"] for start in starts] == [0] * 6 + [1] * 2
    assert [start["time"] for start in starts] == [0, 5, 10, 15, 20, 25, 0, 5]
    assert recordings.starts([recording(3, 0, 0)]) == [
        {"recording": 0, "time": time} for time in range(3)
    ]
