"""Figures 18 to 20 hold the VAE-GAN's log; a VAE and a VAE-GAN can be compared."""

from replication.figures import make_figures
from replication.report import figures_vaegan
from replication.report.figures_v import draw_vae_loss, draw_vae_terms
from replication.report.style import MARKERS, OTHERS

import numpy as np
import pytest
from saved_run import VAE_LOG, VAEGAN_LOG, curves, points


def test_a_running_mean_by_hand():
    values = np.array([1.0, 2, 3, 10, 5])
    assert figures_vaegan.running_mean(values, 3).tolist() == [1.5, 2, 5, 6, 7.5]
    assert figures_vaegan.running_mean(values, 1).tolist() == values.tolist()
    assert [figures_vaegan.window([{}] * n) for n in (1, 19, 40, 100)] == [1, 1, 5, 11]


def test_discriminator_holds_the_log_its_running_mean_and_the_accuracies(gan):
    figure, caption, _ = figures_vaegan.draw_discriminator([gan])
    loss, accuracy = figure.axes
    assert curves(loss)["gan: as logged"] == points(VAEGAN_LOG, "discriminator")
    logged = np.array([line["discriminator"] for line in VAEGAN_LOG])
    smooth = np.array(curves(loss)["gan: running mean"])[:, 1]
    assert smooth[10] == pytest.approx(logged[8:13].mean())
    for kind in ("real", "reconstructed", "sampled"):
        drawn = np.array(curves(accuracy)[f"gan: {kind}"])[:, 1]
        expected = np.mean([line[f"accuracy_{kind}"] for line in VAEGAN_LOG[8:13]])
        assert drawn[10] == pytest.approx(expected)
    assert "5 lines of the log for gan" in caption and "real 0.70" in caption


@pytest.mark.parametrize(
    ("draw", "key", "scale"),
    [("draw_decoder", "decoder", "linear"), ("draw_encoder", "encoder", "log")],
)
def test_generator_and_encoder_hold_the_log(gan, draw, key, scale):
    (axes,) = getattr(figures_vaegan, draw)([gan])[0].axes
    assert curves(axes)["gan: as logged"] == points(VAEGAN_LOG, key)
    assert axes.get_yscale() == scale


def test_without_a_vaegan_the_page_says_how_to_get_one(run, tmp_path):
    figures = {figure.name: figure for figure in make_figures([run], tmp_path)}
    figure = figures["figure_18_discriminator"]
    assert figure.png is None
    assert figure.commands[0] == "bash run_all.sh quick --vision vaegan"
    assert figure.commands[1].endswith("figures.py quick --run mine --compare quick-vaegan")


def test_a_vaegan_is_laid_over_a_vae_in_its_own_colour_and_marks(run, gan):
    figure, caption, _ = draw_vae_terms([run, gan])
    assert "KL is logged after its floor" in caption
    recon, _ = figure.axes
    assert curves(recon)["mine: training"] == points(VAE_LOG, "recon")
    assert curves(recon)["gan: held-out"] == points(VAEGAN_LOG, "held_out_recon")
    (axes,) = figures_vaegan.draw_encoder([run, gan])[0].axes
    smooth = next(line for line in axes.lines if line.get_label() == "gan: running mean")
    assert smooth.get_color() == OTHERS[0] and smooth.get_marker() == MARKERS[0]


def test_the_vaes_total_loss_is_drawn_on_a_vaegans_page_where_one_is_laid_over(run, gan):
    assert draw_vae_loss([gan]) is None
    (axes,) = draw_vae_loss([gan, run])[0].axes
    assert curves(axes)["mine: training"] == points(VAE_LOG, "loss")
