"""Figure 21 shows the saved pictures of both kinds of V, with the measures that were saved."""

from replication.report.figures_pictures import draw_pictures, picture_rows

import numpy as np
from saved_run import shown_images


def test_pictures_of_both_stand_with_their_measures(run, gan):
    figure, caption, _ = draw_pictures([gan, run])
    names = ("input", "VAE-GAN, reconstructed", "VAE, reconstructed", "VAE-GAN, sampled")
    rows = [
        *(gan.samples["obs"], gan.samples["recon"], run.samples["recon"]),
        *(gan.samples["sampled"], run.samples["sampled"]),
    ]
    np.testing.assert_array_equal(shown_images(figure), np.concatenate(rows))
    labels = [axes.get_ylabel().replace("\n", " ") for axes in figure.axes[::4]]
    assert labels == [*names, "VAE, sampled"]
    lines = figure.axes[9].get_xlabel().split("\n")  # the VAE's second reconstruction
    assert lines == [
        f"error {run.samples['recon_error'][1]:.3g}",
        f"SSIM {run.samples['recon_SSIM'][1]:.2f}",
        f"sharpness {run.samples['recon_sharpness'][1]:.3g}",
    ]
    assert figure.axes[14].get_xlabel() == f"sharpness {gan.samples['sampled_sharpness'][2]:.3g}"
    assert figure.axes[2].get_xlabel() == f"sharpness {gan.samples['obs_sharpness'][2]:.3g}"
    assert "no plain VAE" not in caption


def test_means_over_held_out_frames_are_of_the_runs_that_measured_them(run, gan):
    measured = {"error": [10.0, 20.0], "SSIM": [0.8, 0.9], "sharpness": [60.0, 80.0]}
    for name, values in measured.items():
        gan.samples[f"held_out_recon_{name}"] = np.array(values)
    gan.samples["held_out_obs_sharpness"] = np.array([100.0, 120.0])
    _, caption, _ = draw_pictures([gan, run])
    assert (
        "Means over 2 held-out frames, whose own sharpness is 110:"
        " VAE-GAN: error 15, SSIM 0.85, sharpness 70." in caption
    )


def test_inputs_that_differ_are_shown_for_both(run, gan):
    run.samples["obs"] = run.samples["obs"] ^ 1
    labels = [row.label for row in picture_rows({"VAE-GAN": gan.samples, "VAE": run.samples})]
    assert labels[2:4] == ["input of the VAE", "VAE, reconstructed"]


def test_without_a_vae_the_caption_says_how_to_get_one(gan):
    _, caption, _ = draw_pictures([gan])
    assert "run bash run_all.sh quick, then python replication/figures.py quick" in caption
    assert "--vision vaegan --run gan --data mine --compare quick" in caption
