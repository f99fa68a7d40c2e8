"""The series: encoded alike in any batches, one episode after the other, and of one V alone."""

import dataclasses

from replication.config import UserError
from replication.dataset import series
from replication.dataset.episodes import list_episodes
from replication.presets import PRESETS
from replication.runs import files, folders, records
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tf import keras, tf
from replication.vae.vae import build_encoder, to_float

import numpy as np
import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")


def reading(obs):
    """An encoder that reads the made-up pictures: mu is (t, seed, t + seed, 0, ...)."""
    mu = np.zeros((len(obs), 32), np.float32)
    mu[:, :3] = obs[:, 20, 30]
    return mu, -mu


@pytest.fixture
def written(home, write_episode):
    """Episodes of 5, 12 and 9 frames, with the seeds 3, 20 and 41, and their series."""
    record, folder = folders.record_folder(CONFIG), folders.series_folder(CONFIG)
    for seed, length in ((41, 9), (3, 5), (20, 12)):
        write_episode(record, seed, length)
    folder.mkdir(parents=True)
    frames = series.write_series(reading, list_episodes(CONFIG), CAR_RACING_V3, folder)
    assert frames == 26
    return folder


def finish_vae(output: str) -> None:
    folders.stage_folder(CONFIG, "train_vae").mkdir(parents=True, exist_ok=True)
    records.finish(CONFIG, "train_vae", output, "", 1.0)


def test_encoding_in_batches_equals_one_batch(monkeypatch):
    keras.utils.set_random_seed(0)
    encoder = build_encoder(32)
    obs = np.random.default_rng(0).integers(0, 256, (11, 64, 64, 3), np.uint8)
    mu, logvar = encoder(to_float(obs))
    whole = series.encode(lambda frames: encoder(to_float(frames)), obs)
    monkeypatch.setattr(series, "BATCH", 4)
    parts = series.encode(lambda frames: encoder(to_float(frames)), obs)
    for encoded, in_parts, expected in zip(whole, parts, (mu, logvar), strict=True):
        assert encoded.dtype == in_parts.dtype == np.float16
        assert encoded.shape == (11, 32)
        np.testing.assert_allclose(encoded, in_parts, rtol=2e-3, atol=1e-6)  # a bit of float16
        np.testing.assert_allclose(encoded, expected, rtol=1e-3, atol=1e-6)


def test_layout(written):
    shapes = {path.stem: np.load(path, mmap_mode="r") for path in sorted(written.glob("*.npy"))}
    assert {name: (array.dtype.name, array.shape) for name, array in shapes.items()} == {
        "mu": ("float16", (26, 32)),
        "logvar": ("float16", (26, 32)),
        "action": ("float32", (26, 3)),
        "reward": ("float32", (26,)),
        "terminated": ("bool", (26,)),
        "offset": ("int64", (4,)),
        "seed": ("int64", (3,)),
    }
    assert not list(written.glob(".tmp-*"))


def test_episodes_follow_each_other_by_seed(written):
    mu, logvar, action, reward, offset, seed = (
        np.load(written / f"{name}.npy")
        for name in ("mu", "logvar", "action", "reward", "offset", "seed")
    )
    assert seed.tolist() == [3, 20, 41]
    assert offset.tolist() == [0, 5, 17, 26]
    for row in range(3):
        episode = slice(offset[row], offset[row + 1])
        time = np.arange(episode.stop - episode.start)
        signs = np.stack([time, 0 * time + seed[row], time + seed[row]], axis=1)
        np.testing.assert_array_equal(mu[episode, :3], signs)
        np.testing.assert_array_equal(logvar[episode, :3], -signs)
        np.testing.assert_allclose(action[episode], signs / 1000, rtol=1e-6)
        np.testing.assert_array_equal(reward[episode], time)


def test_load_maps_into_memory_and_holds_nothing(written):
    finish_vae("v1")
    files.write_json(written / "series.json", {"vae": "v1"})
    loaded = series.load_series(CONFIG)
    assert set(loaded) == {"mu", "logvar", "action", "reward", "terminated", "offset", "seed"}
    assert all(isinstance(array, np.memmap) for array in loaded.values())


def test_another_vs_series_are_refused(written):
    finish_vae("v2")
    files.write_json(written / "series.json", {"vae": "v1"})
    with pytest.raises(
        UserError, match=r"another V \(v1, not v2\): .*/series\.py quick --run mine"
    ):
        series.load_series(CONFIG)


def test_unmarked_series_are_refused(written):
    """What a killed encoding left is not taken for a whole series."""
    finish_vae("v1")
    with pytest.raises(FileNotFoundError, match=r"series\.json"):
        series.load_series(CONFIG)


def test_series_that_cannot_be_read_name_the_command(written):
    finish_vae("v1")
    files.write_json(written / "series.json", {"vae": "v1"})
    (written / "mu.npy").write_bytes(b"spoilt")
    expected = r"data/mine/series cannot be read .*: run python replication/series\.py quick --run"
    with pytest.raises(UserError, match=expected):
        series.load_series(CONFIG)


def test_first_frames_are_where_dreams_start(written):
    mu, logvar = series.first_frames(
        {
            "mu": np.load(written / "mu.npy"),
            "logvar": np.ones((26, 2)),
            "offset": np.load(written / "offset.npy"),
        }
    )
    assert mu.dtype == logvar.dtype == np.float32
    assert mu[:, :3].tolist() == [[0, 3, 3], [0, 20, 20], [0, 41, 41]]
    assert logvar.shape == (3, 2)


def test_starts_leave_a_branchs_own_as_they_are(tmp_path):
    """A branch has the same files by hard links."""
    ours, branch = tmp_path / "ours", tmp_path / "branch"
    ours.mkdir()
    first, second = np.float32(np.random.default_rng(0).normal(0, 1, (2, 3, 32)))
    series.write_starts(first, first, CAR_RACING_V3, ours)
    branch.mkdir()
    for path in ours.iterdir():
        (branch / path.name).hardlink_to(path)
    series.write_starts(second, second, CAR_RACING_V3, ours)
    for folder, expected in ((ours, second), (branch, first)):
        np.testing.assert_allclose(np.load(folder / "mu.npy"), expected, atol=1e-3)  # float16
    names = [sorted(path.name for path in folder.iterdir()) for folder in (ours, branch)]
    assert names[0] == names[1]


def test_sizes_are_the_tasks():
    small = dataclasses.replace(CAR_RACING_V3, z_size=16, actions=("steer",))
    shapes = {name: shape for name, (_, shape) in series.formats(small).items()}
    assert shapes == {
        "mu": (16,), "logvar": (16,), "action": (1,), "reward": (), "terminated": (),
    }  # fmt: skip


def test_writing_anew_replaces_every_array(written, write_episode):
    """And what marks the old series as whole goes before the first array of the new ones."""
    record = folders.record_folder(CONFIG)
    files.write_json(written / "series.json", {"vae": "v1"})
    write_episode(record, 55, 15)
    series.replace_series(reading, list_episodes(CONFIG), CAR_RACING_V3, written)
    assert np.load(written / "mu.npy").shape == (41, 32)
    assert np.load(written / "seed.npy").tolist() == [3, 20, 41, 55]
    assert not (written / "series.json").exists()


def test_a_broken_episode_leaves_the_old_series(written, write_episode):
    record = folders.record_folder(CONFIG)
    files.write_json(written / "series.json", {"vae": "v1"})
    broken = write_episode(record, 60, 15)
    episodes = list_episodes(CONFIG)
    broken.write_bytes(broken.read_bytes()[:500])
    with pytest.raises(UserError, match="0000000060.npz cannot be read"):
        series.replace_series(reading, episodes, CAR_RACING_V3, written)
    assert np.load(written / "mu.npy").shape == (26, 32)
    assert (written / "series.json").exists()


def test_a_traced_encoder_gives_the_same(written):
    """main encodes with a traced function: tensors instead of arrays."""
    traced = tf.function(lambda obs: (to_float(obs)[:, 0, 0], to_float(obs)[:, 1, 1]))
    mu, _ = series.encode(traced, np.full((600, 64, 64, 3), 51, np.uint8))
    np.testing.assert_allclose(mu, np.full((600, 3), 0.2), rtol=1e-3)
