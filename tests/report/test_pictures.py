"""Figures that are made of frames show the frames that were saved, each in its place."""

import dataclasses

from replication.config import Vae
from replication.report import drawings
from replication.report.saved import read_run
from replication.runs import folders
from replication.tf import keras
from replication.vae import pictures
from replication.vae.vae import VAE, to_bytes, to_float

import numpy as np
from saved_run import CONFIG


def shown(figure) -> np.ndarray:
    """The images of a figure, row by row."""
    return np.stack([axes.images[0].get_array() for axes in figure.axes])


def test_a_rollout_its_reconstruction_and_the_dream_stand_in_rows(run):
    figure, caption, alt = drawings.draw_rollout([run])
    panels = ("environment", "reconstruction", "dream")
    rows = np.concatenate([run.rollout[name] for name in panels])
    np.testing.assert_array_equal(shown(figure), rows)
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == list(panels)
    assert [axes.get_xlabel() for axes in figure.axes[6:]] == ["0.00", "0.50", "1.98"]
    assert "temperature 0.7" in caption and "0.00, 0.50, 1.98" in alt


def test_a_traversal_has_a_row_for_each_dimension(run):
    figure, _, alt = drawings.draw_traversal([run])
    np.testing.assert_array_equal(shown(figure), run.traversal["images"].reshape(6, 64, 64, 3))
    labels = [axes.get_ylabel() for axes in figure.axes[::3]]
    assert labels == ["z 7\nσ = 0.50", "z 30\nσ = 0.10"]
    assert [axes.get_xlabel() for axes in figure.axes[3:]] == ["-3 σ", "mean", "+3 σ"]
    assert "7, 30" in alt


def test_what_was_not_saved_is_not_drawn(run):
    empty = dataclasses.replace(run, rollout={}, traversal={})
    assert drawings.draw_rollout([empty]) is None and drawings.draw_traversal([empty]) is None
    assert run.command("dream") == "python replication/dream.py --run mine"


def test_the_traversal_moves_the_dimensions_that_vary_most(home):
    """mu of the frames is known: frame i has mu_d = i * d / 100, so dimension 31 varies most."""
    keras.utils.set_random_seed(0)
    vae = VAE(Vae(), 32)
    frames = np.zeros((5, 64, 64, 3), np.uint8) + np.arange(5, dtype=np.uint8)[:, None, None, None]
    slope = np.arange(32, dtype=np.float32) / 100
    vae.encoder = lambda obs: (obs[:, 0, 0, :1] * 255 * slope, None)
    folder = folders.run_folder(CONFIG.run) / "vae"
    folder.mkdir(parents=True)
    pictures.save_traversal(vae, frames, folder)
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


def test_bytes_and_floats_are_each_others_inverse():
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_bytes(to_float(every)), every)
