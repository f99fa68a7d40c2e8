"""V's pictures for figures: reconstructions and samples; traversals are in test_pictures.py."""

import dataclasses
from types import SimpleNamespace

from replication.dataset.episodes import list_episodes
from replication.dataset.frame_stream import FrameStream
from replication.presets import PRESETS
from replication.runs import folders
from replication.tasks import games
from replication.tasks.car_racing import CAR_RACING_V3
from replication.vae.frames import Frames, held_out_frames
from replication.vae.picture_measures import measure_reconstructions, sharpness
from replication.vae.pictures import STEPS, TRAVERSED, reconstruct, save_samples, save_traversal
from replication.vae.vae import to_bytes, to_float

import numpy as np
import pytest

CONFIG = dataclasses.replace(PRESETS["quick"], run="mine", task="car_racing_v3")


def test_reconstructions_are_from_the_mean_of_z_in_batches():
    obs = np.random.default_rng(0).integers(0, 256, (230, 64, 64, 3), np.uint8)
    halved = reconstruct(lambda x: (x / 2, None), lambda z: z, obs)
    np.testing.assert_allclose(halved, obs / 2, atol=1)


def fake_v(z_size: int = 32) -> SimpleNamespace:
    """mu is the frame's first colours; the decoder shows z's first number everywhere."""

    def encoder(obs):
        obs = np.asarray(obs)
        mu = np.zeros((len(obs), z_size), np.float32)
        mu[:, :3] = obs[:, 0, 0]
        return mu, mu

    def decoder(z):
        return np.clip(np.asarray(z)[:, :1, None, None] * np.ones((1, 64, 64, 3)), 0, 1)

    return SimpleNamespace(encoder=encoder, decoder=decoder)


@pytest.fixture
def frames(home, write_episode) -> Frames:
    for seed in (0, 1, 20):
        write_episode(folders.record_folder(CONFIG), seed, length=60)
    episodes = list_episodes(CONFIG)
    held_out = [episodes[0], episodes[2]]
    return Frames(FrameStream([episodes[1]], 10, 0), held_out, held_out_frames(held_out))


def test_samples_are_two_frames_of_each_kind_in_the_tasks_order(frames, tmp_path, monkeypatch):
    """Every frame has its step in red: the kind is the step's, and a nameless one is left out."""
    kinds = lambda frame, step: ("", "even", "odd")[0 if step < 30 else 1 + step % 2]  # noqa: E731
    task = dataclasses.replace(
        CAR_RACING_V3, name="parity", frame_kind=kinds, frame_kinds=("odd", "even", "none")
    )
    monkeypatch.setitem(games.TASKS, "parity", task)
    config = dataclasses.replace(CONFIG, task="parity")
    save_samples(fake_v(), frames, config, tmp_path)
    with np.load(tmp_path / "samples.npz") as samples:
        arrays = dict(samples)
    assert arrays["names"].tolist() == ["odd", "odd", "even", "even"]
    steps = arrays["obs"][:, 0, 0, 0]
    assert (steps >= 30).all() and (steps % 2).tolist() == [1, 1, 0, 0]
    assert arrays["recon"].shape == arrays["sampled"].shape == (4, 64, 64, 3)
    np.testing.assert_allclose(arrays["recon"][:, 5, 5, 1], steps, atol=1)
    held_out = {name: array.shape for name, array in arrays.items() if name.startswith("held_out")}
    assert set(held_out.values()) == {(500,)}
    for name, values in measure_reconstructions(arrays["recon"], arrays["obs"]).items():
        np.testing.assert_array_equal(arrays[f"recon_{name}"], values)
    for name in ("obs", "sampled"):
        np.testing.assert_array_equal(arrays[f"{name}_sharpness"], sharpness(arrays[name]))
    save_samples(fake_v(), frames, config, tmp_path)
    with np.load(tmp_path / "samples.npz") as samples:
        np.testing.assert_array_equal(samples["obs"], arrays["obs"])  # they follow from the seed


def test_a_traversal_moves_the_most_active_dimensions_by_their_deviations(frames, tmp_path):
    save_traversal(fake_v(), frames.chosen, tmp_path)
    with np.load(tmp_path / "traversal.npz") as traversal:
        arrays = dict(traversal)
    mu = fake_v().encoder(frames.chosen / 255)[0]
    assert arrays["images"].shape == (TRAVERSED, len(STEPS), 64, 64, 3)
    assert arrays["dimensions"][:3].tolist() == np.argsort(-mu.var(axis=0))[:3].tolist()
    np.testing.assert_allclose(
        arrays["variances"][:3], np.sort(mu.var(axis=0))[::-1][:3], rtol=1e-5
    )
    row = arrays["dimensions"].tolist().index(0)  # the one that the decoder shows
    expected = np.clip(mu[:, 0].mean() + STEPS * mu[:, 0].std(), 0, 1) * 255
    np.testing.assert_allclose(arrays["images"][row, :, 9, 9, 0], expected, atol=1)


def test_bytes_and_floats_are_each_others_inverse():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_bytes(to_float(values)), values)
