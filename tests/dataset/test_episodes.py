"""Recorded episodes: packed, listed, checked and split."""

import dataclasses
from pathlib import Path

from replication.config import Extract, UserError
from replication.dataset.episodes import (
    Recorded,
    episode_path,
    list_episodes,
    pack_episode,
    read_episode,
    split,
)
from replication.presets import PRESETS
from replication.runs import folders
from replication.tasks import games
from replication.tasks.car_racing import CAR_RACING_V3

import numpy as np
import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")
SKIPPING = dataclasses.replace(CONFIG, extract=Extract(skip_bad=True))


@pytest.fixture
def folder(home, write_episode):
    """Episodes of 12 frames with the seeds 7, 5 and 30, written in this order."""
    folder = folders.record_folder(CONFIG)
    for seed in (7, 5, 30):
        write_episode(folder, seed)
    return folder


def test_a_packed_episode_is_read_back(tmp_path):
    random = np.random.default_rng(0)
    obs = list(random.integers(0, 256, (4, 64, 64, 3), np.uint8))
    action = list(random.standard_normal((4, 3)).astype(np.float32))
    path = episode_path(tmp_path, 17)
    assert path == tmp_path / "0000000017.npz"
    path.write_bytes(pack_episode(obs, action, [1.5, -0.1, 0, 3], [False, False, False, True]))
    arrays = read_episode(path, "obs", "action", "reward", "terminated")
    assert [array.dtype.name for array in arrays] == ["uint8", "float32", "float32", "bool"]
    for array, values in zip(arrays[:2], (obs, action), strict=True):
        np.testing.assert_array_equal(array, values)
    assert arrays[2].tolist() == np.float32([1.5, -0.1, 0, 3]).tolist()
    assert arrays[3].tolist() == [False, False, False, True]


def test_the_size_of_an_action_is_the_tasks(folder, monkeypatch):
    steering = dataclasses.replace(CAR_RACING_V3, name="steering", actions=("steer",))
    monkeypatch.setitem(games.TASKS, "steering", steering)
    with pytest.raises(UserError, match=r"0000000005\.npz is not an episode \(action is float32"):
        list_episodes(dataclasses.replace(CONFIG, task="steering"))
    assert len(list_episodes(CONFIG)) == 3


def test_list_is_sorted_and_knows_lengths(folder, write_episode):
    write_episode(folder, 6, length=3)
    episodes = list_episodes(CONFIG)
    assert [(episode.seed, episode.length) for episode in episodes] == [
        (5, 12), (6, 3), (7, 12), (30, 12),
    ]  # fmt: skip


def test_temporary_hidden_and_other_files_are_not_episodes(folder):
    (folder / ".tmp-0000000008.npz").write_bytes(b"half an episode")
    (folder / ".0000000009.npz").write_bytes(b"hidden")
    (folder / "done.json").write_text("{}")
    assert [episode.seed for episode in list_episodes(CONFIG)] == [5, 7, 30]


def test_no_episodes_is_one_line(home):
    with pytest.raises(UserError, match=r"^data/mine/record holds no episode: run extract\.py$"):
        list_episodes(CONFIG)


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
        list_episodes(CONFIG)
    assert f"{name} is not an episode" in str(error.value)
    assert "--extract.skip_bad" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spoil", BAD)
def test_skip_bad_leaves_it_out_and_says_so(folder, write_episode, spoil, capsys):
    spoil(folder, write_episode)
    assert [episode.seed for episode in list_episodes(SKIPPING)] == [5, 7, 30]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert ".npz is not an episode" in lines[0]
    assert lines[0].endswith("left out")


def test_reading_gives_the_named_arrays_in_order(folder):
    reward, obs = read_episode(folder / "0000000007.npz", "reward", "obs")
    assert reward.tolist() == list(range(12))
    assert obs[3, 10, 20].tolist() == [3, 7, 10]


def test_damage_behind_the_headers_is_named_when_it_is_read(home, write_episode):
    """Headers are all that listing reads; the frames' checksum fails later."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 64, 64, 3), np.uint8)
    path = write_episode(folders.record_folder(CONFIG), 6, obs=noise)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"0000000006\.npz cannot be read") as error:
        for episode in list_episodes(CONFIG):
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
