"""Figures 10 to 12 and the latent traversal: V's losses, its pictures, its latent space."""

from replication.report.curves import Logs, first_log, plot_losses
from replication.report.frame_grid import make_grid
from replication.report.published import REPORT_VAE_LOSS
from replication.report.run_record import Run, logs_of
from replication.report.style import (
    REPORT,
    Drawing,
    make_figure,
    plain_log_ticks,
    shared_legend,
)
from replication.runs.stages import V

import numpy as np
from matplotlib.figure import Figure

# Figure 10 --------------------------------------------------------------------------------------


def used_dimensions(line: dict) -> str:
    """A sentence on the dimensions of z that are in use; logs of earlier versions have none."""
    if "used_nats" not in line:
        return ""
    count = f"{line['used_dimensions']:.0f} dimensions with more than 0.1 nat each"
    return f" Of these, {line['used_nats']:.1f} nats are in {count}."


def draw_vae_terms(runs: list[Run]) -> Drawing | None:
    """The two terms of the loss of all runs' V; None if no run has a log of V."""
    if not (logs := logs_of(runs, V)):
        return None
    last = first_log(logs)[1][-1]
    caption = (
        "The two terms of V's loss, before they are weighted. Left: the squared error of an image,"
        " summed over pixels and colours (0..1). Right: the KL divergence of its z from N(0, I),"
        f" summed over {runs[0].z_size} dimensions. Each point is the mean over an interval of the"
        " log. The last"
        f" line has, on held-out frames, {last.get('held_out_recon', np.nan):.1f} and"
        f" {last.get('held_out_kl', np.nan):.1f} nats.{used_dimensions(last)} A VAE-GAN is not"
        " trained on the squared error; it is measured for comparison. The report's Figure 10 shows"
        " the same two terms side by side; its KL varies widely, and its text gives no values."
    )
    if len({run.config.vision for run in runs}) > 1:
        caption += (
            " A VAE's KL is logged after its floor was applied to each image, a VAE-GAN's without."
        )
    alt = "Two panels of curves over training iterations: reconstruction error and KL divergence."
    free_bits = runs[0].settings.get("vae.free_bits")
    return Drawing(vae_terms_figure(logs, free_bits and free_bits * runs[0].z_size), caption, alt)


def vae_terms_figure(logs: Logs, kl_floor: float | None) -> Figure:
    """Squared error and KL over iterations; kl_floor: the free bits, in nats, if there are any."""
    figure, (recon, kl) = make_figure(10, 4, 2)
    plot_losses(recon, logs, "recon", "squared error of an image\n(sum over 64 × 64 × 3)")
    recon.set(title="V: reconstruction", yscale="log")
    plain_log_ticks(recon)
    plot_losses(kl, logs, "kl", "KL divergence of an image\n(sum over z, nats)")
    kl.set_title("V: KL divergence")
    if kl_floor:
        label = f"floor: free bits, {kl_floor:g} nats"
        kl.axhline(kl_floor, color="black", lw=1, ls="-.", label=label)
    shared_legend(figure, recon, kl)
    return figure


# Figure 11 --------------------------------------------------------------------------------------


def draw_vae_loss(runs: list[Run]) -> Drawing | None:
    """The VAEs' total loss; None if no run has a VAE."""
    run = next((run for run in runs if run.logs["train_vae"]), None)
    if run is None:
        return None
    loss = run.logs["train_vae"][-1]["loss"]
    recon, kl = (run.settings.get(f"vae.{term}_weight", 1.0) for term in ("recon", "kl"))
    comparable = recon == kl and run.is_reports  # else there is no scale
    settled = REPORT_VAE_LOSS * recon / 0.5 if comparable else None
    weights = f"{recon:g} × squared error + {kl:g} × KL"
    caption = (
        f"V's total loss, {weights}, on a logarithmic axis. Dotted lines mark the ends of epochs."
        f" Our training ends at {loss:.1f}."
    )
    if run.is_reports:
        caption += (
            f" The report's Figure 11 settles near {REPORT_VAE_LOSS}, with both terms times 0.5"
            f"{f', which is {settled:g} with our weights (the line)' if settled else ''}. Its text"
            " does not say whether the error is the sum over pixels or their mean; the original"
            " sums, and so do we."
        )
    alt = f"Curve of V's total loss over training iterations, ending at {loss:.1f}."
    return Drawing(vae_loss_figure(logs_of(runs, "train_vae"), weights, settled), caption, alt)


def vae_loss_figure(logs: Logs, weights: str, settled: float | None) -> Figure:
    """The total loss over iterations; settled: where the report's settles, in our weights."""
    figure, (axes,) = make_figure(8, 4.2)
    plot_losses(axes, logs, "loss", f"total loss of an image\n({weights})")
    axes.set(title="V: total loss", yscale="log")
    plain_log_ticks(axes)
    if settled is not None:
        label = f"where the 2021 report settles: {settled:g} in our weights"
        axes.axhline(settled, color=REPORT, lw=1.2, ls="-.", label=label)
    shared_legend(figure, axes)
    return figure


# Figure 12 --------------------------------------------------------------------------------------


def draw_reconstructions(runs: list[Run]) -> Drawing | None:
    """Frames and reconstructions of the first run's V; None if it is not trained."""
    samples = runs[0].samples
    if not samples:
        return None
    reported = (
        " The report's Figure 12 has four frames of its training set. It notes accurate outlines of"
        " the road, the car in its place, and the red-and-white kerbs, which it says the paper's V"
        " did not reproduce."
    )
    caption = (
        "Above: held-out frames as V sees them (64 × 64). Below: V's reconstructions from the mean"
        f" of z.{reported if runs[0].is_reports else ''}"
    )
    alt = f"Input frames above, reconstructions below: {', '.join(samples['names'])}."
    return Drawing(reconstructions_figure(samples), caption, alt)


def reconstructions_figure(samples: dict[str, np.ndarray]) -> Figure:
    """Frames `obs` above `recon`, both uint8 (N, 64, 64, 3), each column with its name."""
    images = np.stack([samples["obs"], samples["recon"]])
    figure, grid = make_grid(images, ["input", "reconstruction"], side=1.4)
    for axes, name in zip(grid[0], samples["names"], strict=True):
        axes.set_title(name.replace(" with ", "\nwith "), fontsize=9)
    figure.suptitle("V: frames and their reconstructions", fontsize=11)
    return figure


# The latent traversal ---------------------------------------------------------------------------


def draw_traversal(runs: list[Run]) -> Drawing | None:
    """Single dimensions of the first run's z; None if its V is not trained."""
    traversal = runs[0].traversal
    if not traversal:
        return None
    dimensions = traversal["dimensions"]
    caption = (
        f"What single dimensions of z do. The {len(dimensions)} rows are the dimensions whose mu"
        " varies most over held-out frames, the most varying one first. In a row one dimension"
        " moves from -3 to 3 standard deviations of its mu (σ, at the left) around its mean; all"
        " others stay at their means. So the middle column is the same frame in every row."
    )
    alt = (
        "Decoded frames, a row for each of these dimensions of z:"
        f" {', '.join(map(str, dimensions))}."
    )
    return Drawing(traversal_figure(traversal), caption, alt)


def traversal_figure(traversal: dict[str, np.ndarray]) -> Figure:
    """Frames `images` (D, S, 64, 64, 3): D dimensions of z, at S `steps` in standard deviations."""
    images = traversal["images"]
    labels = [
        f"z {dimension}\nσ = {np.sqrt(variance):.2f}"
        for dimension, variance in zip(traversal["dimensions"], traversal["variances"], strict=True)
    ]
    figure, grid = make_grid(images, labels)
    for axes in grid[:, 0]:
        axes.yaxis.label.set(rotation=0, ha="right", va="center", fontsize=9)
    for axes, step in zip(grid[-1], traversal["steps"], strict=True):
        axes.set_xlabel(f"{step:+d} σ" if step else "mean")
    figure.suptitle(f"V: the {len(images)} dimensions of z that vary most")
    figure.supxlabel("value of that dimension (σ of mu over held-out frames)", fontsize=10)
    return figure
