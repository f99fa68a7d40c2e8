"""Figures 18 to 20: the losses of the VAE-GAN, and how often its discriminator is right."""

from replication.report.curves import ITERATION, Logs, column, first_log, with_styles
from replication.report.run_record import Run, logs_of
from replication.report.style import Drawing, make_figure, plain_log_ticks, shared_legend

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STAGE = "train_vaegan"
ACCURACIES = {"real": "-", "reconstructed": "--", "sampled": (0, (1, 1))}  # frames: line style


# Figure 18 --------------------------------------------------------------------------------------


def draw_discriminator(runs: list[Run]) -> Drawing | None:
    """The discriminator of all runs; None if no run has a VAE-GAN."""
    if not (logs := logs_of(runs, STAGE)):
        return None
    last = first_log(logs)[1][-1]
    accuracies = ", ".join(f"{kind} {last[f'accuracy_{kind}']:.2f}" for kind in ACCURACIES)
    caption = (
        "Left: the discriminator's loss, the cross-entropy of telling real frames from decoded"
        " ones. Right: how often it is right on real frames, on V's reconstructions, and on frames"
        " decoded from z ~ N(0, I). At one half it guesses. At one it has won, and the decoder"
        f" learns little from it. At the end: {accuracies}. {_smoothing(logs)} The report's Figure"
        " 18 shows the loss alone; its text says that it oscillates around a middle and does not"
        " converge."
    )
    alt = f"Curves of the discriminator's loss and its accuracies; at the end {accuracies}."
    return Drawing(discriminator_figure(logs), caption, alt)


def discriminator_figure(logs: Logs) -> Figure:
    """The loss as logged and smoothed, and the three accuracies."""
    figure, (loss, accuracy) = make_figure(10, 4.6, 2)
    plot_noisy(loss, logs, "discriminator")
    loss.set(title="VAE-GAN: loss of the discriminator", ylabel="loss (mean over the batch)")
    for name, log, style in with_styles(logs):
        for kind, dashes in ACCURACIES.items():
            steps, values = column(log, f"accuracy_{kind}")
            values = running_mean(values, window(log))
            accuracy.plot(steps, values, lw=1.6, label=f"{name}: {kind}", **style | {"ls": dashes})
    accuracy.axhline(0.5, color="0.45", lw=0.9, ls="-.", label="guessing")
    accuracy.set(
        title="How often it is right (running means)", xlabel=ITERATION,
        ylabel="share of the frames", ylim=(-0.02, 1.02),
    )  # fmt: skip
    accuracy.set_xlim(left=0)
    shared_legend(figure, loss, accuracy)
    return figure


# Figures 19 and 20 ------------------------------------------------------------------------------


def draw_decoder(runs: list[Run]) -> Drawing | None:
    """The generator's loss in all runs; None if no run has a VAE-GAN."""
    if not (logs := logs_of(runs, STAGE)):
        return None
    caption = (
        "The loss of the generator, which is V's decoder. It falls when the discriminator's"
        " features of a decoded frame are similar to those of the real one, and when the"
        " discriminator takes decoded frames for real. This is the report's Figure 19."
        f" {_smoothing(logs)}"
    )
    return _draw_loss(logs, "decoder", "generator (decoder)", caption)


def draw_encoder(runs: list[Run]) -> Drawing | None:
    """The encoder's loss in all runs; None if no run has a VAE-GAN."""
    if not (logs := logs_of(runs, STAGE)):
        return None
    caption = (
        "The loss of the encoder: the KL divergence of z from N(0, I), and how much the"
        " reconstruction differs from the real frame in the discriminator's features. This is the"
        f" report's Figure 20. {_smoothing(logs)}"
    )
    return _draw_loss(logs, "encoder", "encoder", caption)


def _draw_loss(logs: Logs, key: str, title: str, caption: str) -> Drawing:
    figure, (axes,) = make_figure(8, 4.2)
    plot_noisy(axes, logs, key)
    axes.set(title=f"VAE-GAN: loss of the {title}", ylabel="loss (mean over the batch)")
    if all(line[key] > 0 for log in logs.values() for line in log if key in line):
        axes.set_yscale("log")
        plain_log_ticks(axes)
    shared_legend(figure, axes)
    last = first_log(logs)[1][-1][key]
    return Drawing(figure, caption, f"Noisy curve of the {title}'s loss, ending at {last:.3g}.")


# Noisy curves -----------------------------------------------------------------------------------


def plot_noisy(axes: Axes, logs: Logs, key: str) -> None:
    """The values `key` of each run as they were logged (thin), and their running mean (thick)."""
    for name, log, style in with_styles(logs):
        steps, values = column(log, key)
        thin = {"color": style["color"], "lw": 0.7, "alpha": 0.45}
        axes.plot(steps, values, label=f"{name}: as logged", **thin)
        smooth = running_mean(values, window(log))
        axes.plot(steps, smooth, lw=2, label=f"{name}: running mean", **style)
    axes.set(xlabel=ITERATION)
    axes.set_xlim(left=0)


def _smoothing(logs: Logs) -> str:
    """A sentence on the thin and the thick curves of plot_noisy."""
    windows = [f"{window(log)} lines of the log for {name}" for name, log, _ in with_styles(logs)]
    return (
        "Thin curves: means over each interval of the log. Thick curves: running means over"
        f" {', '.join(windows)}."
    )


def window(log: list[dict]) -> int:
    """How many lines of a log a running mean is over: a tenth of them, and an odd number."""
    return len(log) // 20 * 2 + 1


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """The means of the `width` values around each value, of fewer at the ends: (N,) -> (N,)."""
    ones = np.ones(width)
    count = np.convolve(np.ones(len(values)), ones, "same")
    return np.convolve(values, ones, "same") / count
