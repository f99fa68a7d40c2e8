"""Figures 18 to 21 hold the VAE-GAN's log and pictures; and another run can be laid over."""

import dataclasses

from replication.figures import make_figures
from replication.report import drawings, page, plots, vaegan_drawings
from replication.report.saved import read_run
from replication.vae import quality

import numpy as np
import pytest
from saved_run import CONFIG, VAE_LOG, VAEGAN_LOG, curves, points, write_vaegan


@pytest.fixture
def gan(run):
    """The run `gan`, whose V is a VAE-GAN; the run `mine` stands beside it."""
    write_vaegan()
    return read_run(dataclasses.replace(CONFIG, run="gan", data=""))


def test_a_running_mean_by_hand():
    values = np.array([1.0, 2, 3, 10, 5])
    assert vaegan_drawings.running_mean(values, 3).tolist() == [1.5, 2, 5, 6, 7.5]
    assert vaegan_drawings.running_mean(values, 1).tolist() == values.tolist()
    assert [vaegan_drawings.window([{}] * n) for n in (1, 19, 40, 100)] == [1, 1, 5, 11]


def test_discriminator_holds_the_log_its_running_mean_and_the_accuracies(gan):
    figure, caption, _ = vaegan_drawings.draw_discriminator([gan])
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
    (axes,) = getattr(vaegan_drawings, draw)([gan])[0].axes
    assert curves(axes)["gan: as logged"] == points(VAEGAN_LOG, key)
    assert axes.get_yscale() == scale


def test_pictures_of_both_stand_with_their_measures(run, gan):
    figure, caption, _ = vaegan_drawings.draw_pictures([gan, run])
    shown = np.stack([axes.images[0].get_array() for axes in figure.axes]).reshape(4, 4, 64, 64, 3)
    rows = [gan.samples["obs"], gan.samples["recon"], run.samples["recon"], gan.samples["sampled"]]
    np.testing.assert_array_equal(shown, rows)
    labels = [axes.get_ylabel().replace("\n", " ") for axes in figure.axes[::4]]
    assert labels == ["input", "VAE-GAN, reconstructed", "VAE, reconstructed", "VAE-GAN, sampled"]
    lines = figure.axes[9].get_xlabel().split("\n")  # the VAE's second
    pair = run.samples["recon"][1], run.samples["obs"][1]
    assert lines[0] == f"error {quality.squared_error(*pair):.3g}"
    assert lines[1] == f"SSIM {quality.ssim(*pair):.2f}"
    assert lines[2] == f"sharpness {quality.sharpness(pair[0]):.3g}"
    assert figure.axes[12].get_xlabel().startswith("sharpness")
    assert "no plain VAE" not in caption


def test_measures_of_all_held_out_frames_are_said_of_the_runs_that_have_them(run, gan):
    measured = {"error": [10.0, 20.0], "SSIM": [0.8, 0.9], "sharpness": [60.0, 80.0]}
    gan.samples.update({f"held_out_{key}": np.array(value) for key, value in measured.items()})
    gan.samples["held_out_input"] = np.array([100.0, 120.0])
    _, caption, _ = vaegan_drawings.draw_pictures([gan, run])
    assert (
        "Means over 2 held-out frames, whose own sharpness is 110:"
        " VAE-GAN: error 15, SSIM 0.85, sharpness 70." in caption
    )


def test_inputs_that_differ_are_shown_for_both(run, gan):
    run.samples["obs"] = run.samples["obs"] ^ 1
    labels = [row.label for row in vaegan_drawings.picture_rows(gan, run)]
    assert labels[2:4] == ["input of the VAE", "VAE, reconstructed"]


def test_without_a_vae_the_caption_says_how_to_get_one(gan):
    _, caption, _ = vaegan_drawings.draw_pictures([gan])
    assert "run bash run_all.sh quick, then python replication/figures.py quick" in caption
    assert "--vision vaegan --run gan --compare quick" in caption


def test_without_a_vaegan_the_page_says_how_to_get_one(run, tmp_path):
    made = {entry.name: entry for entry in make_figures([run], tmp_path)}
    entry = made["figure_18_discriminator"]
    assert entry.png is None
    assert entry.commands[0] == "bash run_all.sh quick --vision vaegan"
    assert entry.commands[1].endswith("figures.py quick --run mine --compare quick-vaegan")
    assert "bash run_all.sh quick --vision vaegan" in page.figure(entry)


def test_a_vaegan_is_laid_over_a_vae_in_its_own_colour_and_marks(run, gan):
    figure, caption, _ = drawings.draw_vae_terms([run, gan])
    assert "KL is logged with its floor" in caption
    recon, _ = figure.axes
    assert curves(recon)["mine: training"] == points(VAE_LOG, "recon")
    assert curves(recon)["gan: held-out"] == points(VAEGAN_LOG, "held_out_recon")
    (axes,) = vaegan_drawings.draw_encoder([run, gan])[0].axes
    smooth = next(line for line in axes.lines if line.get_label() == "gan: running mean")
    assert smooth.get_color() == plots.OTHERS[0] and smooth.get_marker() == plots.MARKERS[0]


def test_the_vaes_total_loss_is_drawn_on_a_vaegans_page_where_one_is_laid_over(run, gan):
    assert drawings.draw_vae_loss([gan]) is None
    (axes,) = drawings.draw_vae_loss([gan, run])[0].axes
    assert curves(axes)["mine: training"] == points(VAE_LOG, "loss")


@pytest.mark.parametrize(
    ("draw", "stage", "count"),
    [
        (drawings.draw_vae_terms, "train_vae", 4),
        (drawings.draw_vae_loss, "train_vae", 2),
        (drawings.draw_rnn_loss, "train_rnn", 3),
        (drawings.draw_controller, "train_controller", 2),
    ],
)
def test_two_runs_differ_in_more_than_colour(run, draw, stage, count):
    config = dataclasses.replace(CONFIG, run="other")
    figure = draw([run, dataclasses.replace(run, config=config)])[0]
    lines = [line for axes in figure.axes for line in axes.lines]
    looks = {
        name: {
            (line.get_label().partition(": ")[2], line.get_linestyle(), line.get_marker())
            for line in lines
            if str(line.get_label()).startswith(f"{name}:") and "epoch" not in line.get_label()
        }
        for name in ("mine", "other")
    }
    assert len(looks["mine"]) == len(looks["other"]) and len(looks["other"]) >= count // 2
    assert not looks["mine"] & looks["other"]
