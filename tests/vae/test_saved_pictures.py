"""What V saves for figures: the latent traversal, and pictures with their measures."""

from replication.config import Vae
from replication.dataset.episodes import list_episodes
from replication.report.figures_pictures import measures_of
from replication.report.run_record import read_run
from replication.runs import folders
from replication.tf import keras
from replication.vae import vision
from replication.vae.picture_measures import measure_reconstructions, sharpness
from replication.vae.vae import VAE, to_bytes, to_float

import numpy as np
import pytest
from saved_run import CONFIG


@pytest.fixture
def vae() -> VAE:
    keras.utils.set_random_seed(0)
    return VAE(Vae())


@pytest.fixture
def folder(home):
    """The folder of a run's V."""
    path = folders.run_folder(CONFIG.run) / "vae"
    path.mkdir(parents=True)
    return path


def test_the_traversal_moves_the_dimensions_that_vary_most(vae, folder):
    """mu of the frames is known: frame i has mu_d = i * d / 100, so dimension 31 varies most."""
    frames = np.zeros((5, 64, 64, 3), np.uint8) + np.arange(5, dtype=np.uint8)[:, None, None, None]
    slope = np.arange(32, dtype=np.float32) / 100
    vae.encoder = lambda obs: (obs[:, 0, 0, :1] * 255 * slope, None)
    vision.save_traversal(vae, frames, folder)
    saved = read_run(CONFIG).traversal
    assert saved["dimensions"].tolist() == [31, 30, 29, 28, 27, 26, 25, 24]
    sigma = np.std(np.arange(5)) * slope[saved["dimensions"]]
    np.testing.assert_allclose(saved["variances"], sigma**2, rtol=1e-4)
    assert saved["steps"].tolist() == [-3, -2, -1, 0, 1, 2, 3]
    for row, step in ((0, 0), (3, 4), (7, 6)):
        z = 2 * slope
        z[saved["dimensions"][row]] += (step - 3) * sigma[row]
        expected = to_bytes(vae.decoder(z[None]))[0]
        np.testing.assert_allclose(saved["images"][row, step].astype(int), expected, atol=1)


def test_pictures_are_saved_with_their_measures(vae, folder, tmp_path, write_episode):
    for seed in range(3):
        write_episode(tmp_path / "record", seed)
    episodes = list_episodes(tmp_path / "record")
    frames = vision.Frames(None, episodes, vision.held_out_frames(episodes))
    vision.save_samples(vae, frames, 0, folder)
    saved = read_run(CONFIG).samples
    recon = vision.reconstruct(vae, saved["obs"])
    np.testing.assert_array_equal(saved["recon"], recon)
    expected = measure_reconstructions(recon, saved["obs"])
    assert list(expected) == list(measures_of(saved, "recon")) == ["error", "SSIM", "sharpness"]
    for name, values in measures_of(saved, "recon").items():
        np.testing.assert_array_equal(values, expected[name])
    assert list(measures_of(saved, "held_out_recon")) == list(expected)
    for name, pictures in (("sampled", saved["sampled"]), ("held_out_obs", frames.chosen)):
        assert measures_of(saved, name)["sharpness"].tolist() == sharpness(pictures).tolist()


def test_bytes_and_floats_are_each_others_inverse():
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_bytes(to_float(every)), every)
