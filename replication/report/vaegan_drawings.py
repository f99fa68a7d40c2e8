"""Figures 18 to 21: the losses of the VAE-GAN, and its pictures beside the plain VAE's.

The VAE-GAN is that of the run, or of the first run laid over it that has one; so is the VAE.
"""

from dataclasses import dataclass

from replication.report import pictures, plots
from replication.report.saved import Run, logs_of
from replication.vae import quality

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

ACCURACIES = {"real": "-", "reconstructed": "--", "sampled": (0, (1, 1))}
STAGE = "train_vaegan"


def draw_discriminator(overlaid: list[Run]) -> plots.Drawing | None:
    if not (logs := logs_of(overlaid, STAGE)):
        return None
    last = plots.first(logs)[1][-1]
    caption = (
        "The discriminator's loss, the cross-entropy of telling real frames from V's, and how often"
        " it is right: on real frames, on V's reconstructions, and on frames decoded from"
        " z ~ N(0, I). At one half it guesses; at one it has won, and the decoder learns little"
        f" from it. At the end: {_accuracies(last)}. {_smoothing(logs)} The report's Figure 18 has"
        " the loss alone; its text says that it goes to and fro around a middle without converging."
    )
    alt = f"Curves of the discriminator's loss and its accuracies; at the end {_accuracies(last)}."
    return discriminator_figure(logs), caption, alt


def _accuracies(line: dict) -> str:
    return ", ".join(f"{kind} {line[f'accuracy_{kind}']:.2f}" for kind in ACCURACIES)


def _smoothing(logs: plots.Logs) -> str:
    """What is drawn, and over how much it is smoothed."""
    windows = [
        f"{window(log)} lines of the log for {name}" for name, log, _ in plots.coloured(logs)
    ]
    return f"Thin: means over each interval of the log; thick: running means, {', '.join(windows)}."


def draw_decoder(overlaid: list[Run]) -> plots.Drawing | None:
    if not (logs := logs_of(overlaid, STAGE)):
        return None
    caption = (
        "The generator's loss: the decoder is paid for pictures that the discriminator's features"
        " find similar to the real ones, and for those that it takes for real; the report's Figure"
        f" 19. {_smoothing(logs)}"
    )
    return _loss_figure(logs, "decoder", "generator (decoder)", caption)


def draw_encoder(overlaid: list[Run]) -> plots.Drawing | None:
    if not (logs := logs_of(overlaid, STAGE)):
        return None
    caption = (
        "The encoder's loss: the KL divergence of z from N(0, I), and the likeness of the"
        " reconstruction in the discriminator's features; the report's Figure 20."
        f" {_smoothing(logs)}"
    )
    return _loss_figure(logs, "encoder", "encoder", caption)


def _loss_figure(logs: plots.Logs, key: str, title: str, caption: str) -> plots.Drawing:
    figure, (axes,) = plots.make_figure(8, 4.2)
    _noisy(axes, logs, key)
    axes.set(title=f"VAE-GAN: loss of the {title}", ylabel="loss (mean over the batch)")
    if all(line[key] > 0 for log in logs.values() for line in log if key in line):
        axes.set_yscale("log")
        plots.plain_log_ticks(axes)
    plots.shared_legend(figure, axes)
    last = plots.first(logs)[1][-1][key]
    return figure, caption, f"Noisy curve of the {title}'s loss, ending at {last:.3g}."


def discriminator_figure(logs: plots.Logs) -> Figure:
    """Figure 18: the loss, and the three accuracies."""
    figure, (loss, accuracy) = plots.make_figure(10, 4.6, 2)
    _noisy(loss, logs, "discriminator")
    loss.set(title="VAE-GAN: loss of the discriminator", ylabel="loss (mean over the batch)")
    for name, log, style in plots.coloured(logs):
        for kind, dashes in ACCURACIES.items():
            steps, values = plots.column(log, f"accuracy_{kind}")
            values = running_mean(values, window(log))
            accuracy.plot(steps, values, lw=1.6, label=f"{name}: {kind}", **style | {"ls": dashes})
    accuracy.axhline(0.5, color="0.45", lw=0.9, ls="-.", label="guessing")
    accuracy.set(
        title="How often it is right (running means)", xlabel=plots.ITERATION,
        ylabel="share of the frames", ylim=(-0.02, 1.02),
    )  # fmt: skip
    accuracy.set_xlim(left=0)
    plots.shared_legend(figure, loss, accuracy)
    return figure


def _noisy(axes: Axes, logs: plots.Logs, key: str) -> None:
    """Each run's values as they are (thin), and their running mean (thick)."""
    for name, log, style in plots.coloured(logs):
        steps, values = plots.column(log, key)
        thin = {"color": style["color"], "lw": 0.7, "alpha": 0.45}
        axes.plot(steps, values, label=f"{name}: as logged", **thin)
        smooth = running_mean(values, window(log))
        axes.plot(steps, smooth, lw=2, label=f"{name}: running mean", **style)
    axes.set(xlabel=plots.ITERATION)
    axes.set_xlim(left=0)


def window(log: list[dict]) -> int:
    """Lines of the log in a running mean: a tenth of them, and an odd number."""
    return len(log) // 20 * 2 + 1


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """The mean of `width` values around each; fewer at the ends."""
    ones = np.ones(width)
    count = np.convolve(np.ones(len(values)), ones, "same")
    return np.convolve(values, ones, "same") / count


def draw_pictures(overlaid: list[Run]) -> plots.Drawing | None:
    by_vision = {run.config.vision: run for run in reversed(overlaid) if run.samples}
    if not (ours := by_vision.get("vaegan")):
        return None
    vae = by_vision.get("vae")
    rows = picture_rows(ours, vae)
    caption = (
        "Held-out frames, what the VAE-GAN makes of them from the mean of z, and what it makes of"
        " z ~ N(0, I); the plain VAE's versions beside them. Under a reconstruction: the squared"
        " error summed over pixels and colours (0..1); SSIM, the structural similarity of Wang et"
        " al. (2004) in windows of 11 × 11, 1 for equal pictures; and the sharpness, the variance"
        " of the luma's Laplacian (0..255), which blur lowers, and noise raises. A sample has no"
        " original: sharpness alone. The report's Figure 21 has four frames and no"
        " numbers; it finds the road less clearly outlined than the VAE's."
    )
    if vae is None:
        run = overlaid[0]
        caption += (
            " There is no plain VAE beside it yet: run"
            f" {', then '.join(run.commands('train_vae'))}."
        )
    means = "; ".join(f"{row.label}: {row.means()}" for row in rows if row.label != "input")
    alt = f"Rows of frames and their measures; means: {means}."
    caption += over_held_out([(ours, "VAE-GAN"), *([(vae, "VAE")] if vae else [])])
    return pictures_figure(rows), f"{caption} Means of the rows: {means}.", alt


@dataclass(frozen=True)
class Row:
    """A row of figure 21."""

    label: str
    images: np.ndarray  # uint8 (N, 64, 64, 3)
    originals: np.ndarray | None = None  # of reconstructions

    def measures(self) -> dict[str, np.ndarray]:
        """What stands under each picture, (N,) each."""
        return quality.measures(self.images, self.originals)

    def means(self) -> str:
        return _means(self.measures())


def over_held_out(named: list[tuple[Run, str]]) -> str:
    """A sentence on the reconstructions of all held-out frames, of the runs that measured them."""
    said, own = [], np.empty(0)
    for run, label in named:
        if "held_out_error" in run.samples:
            own = run.samples["held_out_input"]
            measures = {name: run.samples[f"held_out_{name}"] for name in quality.MEASURES}
            said.append(f"{label}: {_means(measures)}")
    if not said:
        return ""
    frames = f"{len(own)} held-out frames, whose own sharpness is {own.mean():.3g}"
    return f" Means over {frames}: {'; '.join(said)}."


def _means(measures: dict[str, np.ndarray]) -> str:
    return ", ".join(_said(name, each.mean()) for name, each in measures.items())


def _said(name: str, value: float) -> str:
    return f"{name} {value:.2f}" if name == "SSIM" else f"{name} {value:.3g}"


def picture_rows(ours: Run, vae: Run | None) -> list[Row]:
    """Inputs, reconstructions, samples; the VAE's inputs too where they are other frames."""
    obs, named = ours.samples["obs"], [(ours, "VAE-GAN"), *([(vae, "VAE")] if vae else [])]
    rows = [Row("input", obs)]
    for run, label in named:
        own = run.samples["obs"]
        if own.shape != obs.shape or (own != obs).any():
            rows.append(Row(f"input of the {label}", own))
        rows.append(Row(f"{label}, reconstructed", run.samples["recon"], own))
    for run, label in named:
        if "sampled" in run.samples:
            rows.append(Row(f"{label}, sampled", run.samples["sampled"]))
    return rows


def pictures_figure(rows: list[Row]) -> Figure:
    """Figure 21: the rows, with their measures under each picture."""
    count = min(len(row.images) for row in rows)
    images = np.stack([row.images[:count] for row in rows])
    labels = [row.label.replace(" ", "\n", 1).replace(", ", ",\n") for row in rows]
    figure, grid = pictures.make_grid(images, labels, side=1.25)
    for axes, row in zip(grid, rows, strict=True):
        measures = row.measures().items()
        for column, each in enumerate(axes):
            lines = [_said(name, values[column]) for name, values in measures]
            each.set_xlabel("\n".join(lines), fontsize=8)
    figure.suptitle("VAE-GAN and VAE: reconstructions, and samples of z ~ N(0, I)")
    return figure
