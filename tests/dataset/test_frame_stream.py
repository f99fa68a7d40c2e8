"""Frames streamed in an order that follows from the seed, in memory that does not grow."""

import dataclasses
import os
import subprocess
import sys

from replication.config import UserError
from replication.dataset import frame_stream
from replication.dataset.episodes import list_episodes, read_episode
from replication.dataset.frame_stream import FrameStream
from replication.presets import PRESETS
from replication.runs import folders

import numpy as np
import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")


@pytest.fixture
def stream(home, write_episode, monkeypatch):
    """10 episodes, 5 to 14 frames each, 95 in all, in blocks of 4 and batches of 6."""
    monkeypatch.setattr(frame_stream, "TOGETHER", 4)
    for seed in range(10):
        write_episode(folders.record_folder(CONFIG), seed, length=5 + seed)
    return FrameStream(list_episodes(CONFIG), batch_size=6, seed=1)


def take(stream: FrameStream, count: int, start: int = 0) -> list[np.ndarray]:
    batches = stream.batches(start)
    return [next(batches) for _ in range(count)]


def names(batches: list[np.ndarray]) -> list[tuple[int, int]]:
    """(seed, t) of each frame."""
    return [(int(f[0, 0, 1]), int(f[0, 0, 0])) for batch in batches for f in batch]


def test_stream_deals_every_frame_at_most_once_a_pass(stream):
    for number in range(3):
        start = sum(stream.batches_in_pass(i) for i in range(number))
        dealt = names(take(stream, stream.batches_in_pass(number), start))
        assert len(dealt) == len(set(dealt))
        assert len(dealt) > 95 - 3 * 6  # of each block less than a batch is left
        assert all(t < 5 + seed for seed, t in dealt)


def test_stream_gives_frames_as_they_were_recorded(stream):
    (batch,) = take(stream, 1)
    assert batch.shape == (6, 64, 64, 3)
    assert batch.dtype == np.uint8
    for frame in batch:
        t, seed, total = frame[0, 0]
        assert total == t + seed
        assert (frame == frame[0, 0]).all()


def test_stream_is_deterministic(stream):
    again = FrameStream(stream.episodes, 6, seed=1)
    np.testing.assert_array_equal(take(stream, 40), take(again, 40))
    other = FrameStream(stream.episodes, 6, seed=2)
    assert names(take(stream, 5)) != names(take(other, 5))


@pytest.mark.parametrize("start", [1, 5, 6, 14, 15, 29, 33])
def test_stream_from_a_step_on_is_the_tail(stream, start):
    whole = take(stream, 40)
    np.testing.assert_array_equal(take(stream, 40 - start, start), whole[start:])


def test_passes_differ(stream):
    count = stream.batches_in_pass(0)
    dealt = names(take(stream, 2 * count))
    assert dealt[: 6 * count] != dealt[6 * count :]
    alone = FrameStream(stream.episodes[-1:], 6, seed=1)  # no order of episodes to differ in
    first, again = take(alone, 2), take(alone, 2, start=2)
    assert names(first) != names(again)


def test_stream_shuffles_across_episodes(stream):
    per_batch = [len({seed for seed, _ in names([batch])}) for batch in take(stream, 12)]
    assert np.mean(per_batch) > 2


def test_a_batch_larger_than_the_set_is_one_line(stream):
    with pytest.raises(UserError, match="fewer frames than one batch of 100"):
        FrameStream(stream.episodes, 100, seed=1)


def test_stream_reads_a_block_at_a_time(stream, monkeypatch):
    read = []

    def counted(path, *names):
        read.append(path)
        return read_episode(path, *names)

    monkeypatch.setattr(frame_stream, "read_episode", counted)
    batches = stream.batches()
    next(batches)
    assert len(read) == 4


MEASURE = """
import resource
from replication.runs.command_line import parse_cli
from replication.dataset import episodes, frame_stream
from replication.vae.frames import frame_batches

frame_stream.TOGETHER = 8
listed = episodes.list_episodes(parse_cli(["quick", "--run", "mine"]))
for count in (40, 160):
    stream = frame_stream.FrameStream(listed[:count], 100, seed=0)
    steps = stream.batches_in_pass()
    batches = frame_batches(stream, 32, 0, 0).prefetch(2).take(steps)
    frames = sum(len(obs) for obs, _ in batches)
    print(count, frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_episodes(home, write_episode):
    """V's input pipeline over 40 and then over 160 episodes of 1.2 MB: 150 MB more on disk."""
    for seed in range(160):
        write_episode(folders.record_folder(CONFIG), seed, length=100)
    environment = os.environ | {"REPLICATION_HOME": str(home)}
    output = subprocess.check_output([sys.executable, "-c", MEASURE], text=True, env=environment)
    (few, frames_few, peak_few), (many, frames_many, peak_many) = (
        map(int, line.split()) for line in output.splitlines()
    )
    assert (few, frames_few, many, frames_many) == (40, 4000, 160, 16_000)
    assert peak_many - peak_few < 40  # MB
