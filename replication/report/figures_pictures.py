"""Figure 21: pictures of the VAE-GAN beside those of the plain VAE, with their measures.

Each is that of the page's run, or of the first run it is compared with that has one. The measures
were computed when V was trained (vae/picture_measures.py).
"""

from typing import NamedTuple

from replication.report.frame_grid import make_grid
from replication.report.run_record import Run
from replication.report.style import Drawing

import numpy as np
from matplotlib.figure import Figure

LABELS = {"vaegan": "VAE-GAN", "vae": "VAE"}


class Row(NamedTuple):
    """A row of figure 21."""

    label: str
    images: np.ndarray  # uint8 (N, 64, 64, 3)
    measures: dict[str, np.ndarray]  # under each picture: (N,) by name


def draw_pictures(runs: list[Run]) -> Drawing | None:
    """Frames, reconstructions, samples; None if no run has a trained VAE-GAN."""
    by_vision = {run.config.vision: run for run in reversed(runs) if run.samples}
    if "vaegan" not in by_vision:
        return None
    samples = {name: by_vision[key].samples for key, name in LABELS.items() if key in by_vision}
    rows = picture_rows(samples)
    means = "; ".join(
        f"{row.label}: {_means(row.measures)}" for row in rows if row.label != "input"
    )
    caption = (
        f"{_caption()}{'' if 'vae' in by_vision else _missing_vae(runs[0])}"
        f"{held_out_means(samples)} Means of the rows: {means}."
    )
    alt = f"Rows of frames and their measures; means: {means}."
    return Drawing(pictures_figure(rows), caption, alt)


def _caption() -> str:
    return (
        "Held-out frames; what the VAE-GAN reconstructs of them from the mean of z, and what it"
        " decodes from z ~ N(0, I); and the same of the plain VAE. Under a reconstruction stand"
        " three measures. The error is the squared error, summed over pixels and colours (0..1)."
        " SSIM is the structural similarity of Wang et al. (2004) in windows of 11 × 11, 1 for"
        " equal pictures. The sharpness is the variance of the Laplacian of the luma (0..255);"
        " blur lowers it, and noise raises it. Frames and samples have no original, so they have"
        " the sharpness alone. The report's Figure 21 has four frames and no numbers; it finds the"
        " road less clearly outlined than the VAE's."
    )


def _missing_vae(run: Run) -> str:
    commands = ", then ".join(run.commands("train_vae"))
    return f" There is no plain VAE to compare with yet: run {commands}."


def held_out_means(samples: dict[str, dict[str, np.ndarray]]) -> str:
    """A sentence on the reconstructions of all held-out frames, of the V's that measured them."""
    measured = {
        label: arrays for label, arrays in samples.items() if "held_out_obs_sharpness" in arrays
    }
    if not measured:  # as in report/two_cores, whose V was trained before they were kept
        return ""
    means = [
        f"{label}: {_means(measures_of(arrays, 'held_out_recon'))}"
        for label, arrays in measured.items()
    ]
    own = list(measured.values())[-1]["held_out_obs_sharpness"]
    frames = f"{len(own)} held-out frames, whose own sharpness is {own.mean():.3g}"
    return f" Means over {frames}: {'; '.join(means)}."


def measures_of(arrays: dict[str, np.ndarray], pictures: str) -> dict[str, np.ndarray]:
    """The saved measures of some pictures of samples.npz: `error` of `recon_error`, and so on."""
    prefix = f"{pictures}_"
    return {
        key.removeprefix(prefix): values for key, values in arrays.items() if key.startswith(prefix)
    }


def _means(measures: dict[str, np.ndarray]) -> str:
    return ", ".join(_text(name, values.mean()) for name, values in measures.items())


def _text(name: str, value: float) -> str:
    return f"{name} {value:.2f}" if name == "SSIM" else f"{name} {value:.3g}"


def picture_rows(samples: dict[str, dict[str, np.ndarray]]) -> list[Row]:
    """Inputs, reconstructions, samples of each V, by its label in LABELS, the VAE-GAN's first.

    The VAE's inputs have a row of their own if they are other frames than the VAE-GAN's.
    """
    first = next(iter(samples.values()))["obs"]
    rows = []
    for label, arrays in samples.items():
        if not rows or not np.array_equal(arrays["obs"], first):
            name = f"input of the {label}" if rows else "input"
            rows.append(Row(name, arrays["obs"], measures_of(arrays, "obs")))
        measures = measures_of(arrays, "recon")
        rows.append(Row(f"{label}, reconstructed", arrays["recon"], measures))
    for label, arrays in samples.items():
        measures = measures_of(arrays, "sampled")
        rows.append(Row(f"{label}, sampled", arrays["sampled"], measures))
    return rows


def pictures_figure(rows: list[Row]) -> Figure:
    """The rows, as many pictures as all have, with their measures under each picture."""
    count = min(len(row.images) for row in rows)
    images = np.stack([row.images[:count] for row in rows])
    labels = [row.label.replace(" ", "\n", 1).replace(", ", ",\n") for row in rows]
    figure, grid = make_grid(images, labels, side=1.25)
    for row, row_axes in zip(rows, grid, strict=True):
        for place, axes in enumerate(row_axes):
            lines = [_text(name, values[place]) for name, values in row.measures.items()]
            axes.set_xlabel("\n".join(lines), fontsize=8)
    figure.suptitle("VAE-GAN and VAE: reconstructions, and samples of z ~ N(0, I)")
    return figure
