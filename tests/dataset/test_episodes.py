"""Recorded episodes: found, checked, split, and streamed in an order that memory never feels."""

import subprocess
import sys
from pathlib import Path

from replication.config import UserError
from replication.dataset import episodes as episodes_module
from replication.dataset.episodes import FrameStream, Recorded, list_episodes, read_episode, split

import numpy as np
import pytest


@pytest.fixture
def folder(tmp_path, write_episode):
    """Episodes of 12 frames with the seeds 7, 5 and 30, written in this order."""
    for seed in (7, 5, 30):
        write_episode(tmp_path, seed)
    return tmp_path


def test_list_is_sorted_and_knows_lengths(folder, write_episode):
    write_episode(folder, 6, length=3)
    found = list_episodes(folder)
    assert [(episode.seed, episode.length) for episode in found] == [
        (5, 12), (6, 3), (7, 12), (30, 12),
    ]  # fmt: skip


def test_temporary_hidden_and_other_files_are_not_episodes(folder):
    (folder / ".tmp-0000000008.npz").write_bytes(b"half an episode")
    (folder / ".0000000009.npz").write_bytes(b"hidden")
    (folder / "done.json").write_text("{}")
    assert [episode.seed for episode in list_episodes(folder)] == [5, 7, 30]


def test_no_episodes_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"extract\.py"):
        list_episodes(tmp_path)


def truncated(folder, write_episode):
    path = write_episode(folder, 6)
    path.write_bytes(path.read_bytes()[:-100])


def empty(folder, write_episode):
    (folder / "0000000006.npz").touch()


def text(folder, write_episode):
    (folder / "0000000006.npz").write_text("this is no episode")


def foreign(folder, write_episode):
    np.savez(folder / "0000000006.npz", weights=np.zeros(3))


def named_otherwise(folder, write_episode):
    write_episode(folder, 6).rename(folder / "episode.npz")


def wrong_shape(folder, write_episode):
    write_episode(folder, 6, obs=np.zeros((12, 96, 96, 3), np.uint8))


def wrong_dtype(folder, write_episode):
    write_episode(folder, 6, obs=np.zeros((12, 64, 64, 3), np.float32))


def wrong_reward(folder, write_episode):
    write_episode(folder, 6, reward=np.zeros(12, np.float64))


def two_lengths(folder, write_episode):
    write_episode(folder, 6, action=np.zeros((11, 3), np.float32))


def no_frames(folder, write_episode):
    write_episode(folder, 6, length=0)


def objects(folder, write_episode):
    write_episode(folder, 6, reward=np.array([{}] * 12))


def unknown_compression(folder, write_episode):
    """zipfile has an error of its own for it, a kind of RuntimeError."""
    path = write_episode(folder, 6)
    content = bytearray(path.read_bytes())
    for header, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):  # each file's, the directory's
        place = content.find(header)
        while place >= 0:
            content[place + offset : place + offset + 2] = (77).to_bytes(2, "little")
            place = content.find(header, place + 4)
    path.write_bytes(content)


BAD = (
    truncated, empty, text, foreign, named_otherwise, wrong_shape, wrong_dtype, wrong_reward,
    two_lengths, no_frames, objects, unknown_compression,
)  # fmt: skip


@pytest.mark.parametrize("spoil", BAD)
def test_a_bad_file_is_named_in_one_line(folder, write_episode, spoil):
    spoil(folder, write_episode)
    name = "episode.npz" if spoil is named_otherwise else "0000000006.npz"
    with pytest.raises(UserError) as error:
        list_episodes(folder)
    assert f"{name} is not an episode" in str(error.value)
    assert "--extract.skip_bad" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spoil", BAD)
def test_skip_bad_leaves_it_out_and_says_so(folder, write_episode, spoil, capsys):
    spoil(folder, write_episode)
    assert [episode.seed for episode in list_episodes(folder, skip_bad=True)] == [5, 7, 30]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert ".npz is not an episode" in lines[0]
    assert lines[0].endswith("left out")


def test_reading_gives_the_named_arrays_in_order(folder):
    reward, obs = read_episode(folder / "0000000007.npz", "reward", "obs")
    assert reward.tolist() == list(range(12))
    assert obs[3, 10, 20].tolist() == [3, 7, 10]


def test_damage_behind_the_headers_is_named_when_it_is_read(tmp_path, write_episode):
    """Headers are all that listing reads; the frames' checksum fails later."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 64, 64, 3), np.uint8)
    path = write_episode(tmp_path, 6, obs=noise)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"0000000006\.npz cannot be read") as error:
        for episode in list_episodes(tmp_path):
            read_episode(episode.path, "obs")
    assert "\n" not in str(error.value)


def recorded(*seeds: int, length: int = 10) -> list[Recorded]:
    return [Recorded(Path(f"{seed:010d}.npz"), length) for seed in seeds]


def test_split_holds_out_5_percent():
    training, held_out = split(recorded(*range(1000)))
    assert (len(training), len(held_out)) == (950, 50)
    assert not {e.seed for e in training} & {e.seed for e in held_out}


def test_split_never_changes_as_episodes_are_added():
    training, held_out = split(recorded(*range(40)))
    more, more_held_out = split(recorded(*range(200)))
    assert set(training) <= set(more)
    assert set(held_out) <= set(more_held_out)


def test_episodes_of_every_runs_seed_can_be_split():
    """A run's seeds begin at seed * 100,000: the first of them is held out."""
    for seed in (0, 1, 2, 39_999):
        training, held_out = split(recorded(*(seed * 100_000 + i for i in range(2))))
        assert (len(training), len(held_out)) == (1, 1)


def test_too_few_to_split_is_one_line():
    with pytest.raises(UserError, match="1 episodes cannot be split"):
        split(recorded(0))


# The stream --------------------------------------------------------------------------------


@pytest.fixture
def stream(tmp_path, write_episode, monkeypatch):
    """10 episodes, 5 to 14 frames each, 95 in all, in blocks of 4 and batches of 6."""
    monkeypatch.setattr(episodes_module, "TOGETHER", 4)
    for seed in range(10):
        write_episode(tmp_path, seed, length=5 + seed)
    return FrameStream(list_episodes(tmp_path), batch_size=6, seed=1)


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

    monkeypatch.setattr(episodes_module, "read_episode", counted)
    batches = stream.batches()
    next(batches)
    assert len(read) == 4


MEASURE = """
import resource, sys
from pathlib import Path
from replication.dataset import episodes
from replication.train_vae import frame_batches

episodes.TOGETHER = 8
for count in (40, 160):
    found = episodes.list_episodes(Path(sys.argv[1]))[:count]
    stream = episodes.FrameStream(found, 100, seed=0)
    steps = stream.batches_in_pass()
    seen = sum(len(obs) for obs, _ in frame_batches(stream, 0, 0).prefetch(2).take(steps))
    print(count, seen, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_episodes(tmp_path, write_episode):
    """V's input pipeline over 40 and then over 160 episodes of 1.2 MB: 150 MB more on disk."""
    for seed in range(160):
        write_episode(tmp_path, seed, length=100)
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    lines = subprocess.check_output(command, text=True).splitlines()
    (few, seen_few, peak_few), (many, seen_many, peak_many) = (
        map(int, line.split()) for line in lines
    )
    assert (few, seen_few, many, seen_many) == (40, 4000, 160, 16_000)
    assert peak_many - peak_few < 40  # MB
