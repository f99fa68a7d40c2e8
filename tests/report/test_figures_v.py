"""V's figures hold its log, its frames and its traversal."""

import dataclasses

from replication.report.figures_v import (
    draw_reconstructions,
    draw_traversal,
    draw_vae_loss,
    draw_vae_terms,
)

import numpy as np
import pytest
from saved_run import VAE_LOG, curves, points, shown_images


def test_vae_terms_hold_the_log_and_the_floor(run):
    recon, kl = draw_vae_terms([run])[0].axes
    assert curves(recon)["mine: training"] == points(VAE_LOG, "recon")
    assert curves(recon)["mine: held-out"] == points(VAE_LOG, "held_out_recon")
    assert curves(kl)["mine: training"] == points(VAE_LOG, "kl")
    assert curves(kl)["mine: held-out"] == points(VAE_LOG, "held_out_kl")
    assert curves(kl)["floor: free bits, 16 nats"][0][1] == 16


def test_vae_loss_is_logarithmic_with_a_line_each_epoch(run):
    (axes,) = draw_vae_loss([run])[0].axes
    assert axes.get_yscale() == "log"
    assert curves(axes)["mine: training"] == points(VAE_LOG, "loss")
    ends = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]
    assert ends == [200, 400, 600]


@pytest.mark.parametrize(("recon", "kl", "expected"), [(0.5, 0.5, 40), (1, 1, 80), (1, 0.5, None)])
def test_vae_reference_is_drawn_on_the_scale_of_our_weights(run, recon, kl, expected):
    run.settings.update({"vae.recon_weight": recon, "vae.kl_weight": kl})
    (axes,) = draw_vae_loss([run])[0].axes
    drawn = [line.get_ydata()[0] for line in axes.lines if "2021" in str(line.get_label())]
    assert drawn == ([] if expected is None else [expected])


def test_frames_stand_above_their_reconstructions(run):
    figure = draw_reconstructions([run]).figure
    images = shown_images(figure)
    np.testing.assert_array_equal(images[:4], run.samples["obs"])
    np.testing.assert_array_equal(images[4:], run.samples["recon"])
    assert figure.axes[2].get_title() == "curve\nwith kerb"


def test_a_traversal_has_a_row_for_each_dimension(run):
    figure, _, alt = draw_traversal([run])
    images = run.traversal["images"].reshape(6, 64, 64, 3)
    np.testing.assert_array_equal(shown_images(figure), images)
    labels = [axes.get_ylabel() for axes in figure.axes[::3]]
    assert labels == ["z 7\nσ = 0.50", "z 30\nσ = 0.10"]
    assert [axes.get_xlabel() for axes in figure.axes[3:]] == ["-3 σ", "mean", "+3 σ"]
    assert "7, 30" in alt


def test_a_v_that_is_not_trained_is_not_drawn(run):
    empty = dataclasses.replace(run, samples={}, traversal={}, logs=run.logs | {"train_vae": []})
    draws = (draw_vae_terms, draw_vae_loss, draw_reconstructions, draw_traversal)
    assert [draw([empty]) for draw in draws] == [None] * 4
