"""The drawings of the report page that are made of frames, in the style of plots.py."""

import numpy as np
from matplotlib.figure import Figure

SIDE = 1.0  # inches of a frame


def make_grid(
    images: np.ndarray, labels: list[str], side: float = SIDE
) -> tuple[Figure, np.ndarray]:
    """Frames uint8 (rows, columns, 64, 64, 3), a label at the left of each row; and their axes."""
    rows, columns = images.shape[:2]
    size = max(side * columns, 4) + 1.2, side * rows + 0.9
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for row, label in enumerate(labels):
        for axes, image in zip(grid[row], images[row], strict=True):
            axes.imshow(image, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.spines[:].set_visible(False)
        grid[row][0].set_ylabel(label, fontsize=9)
    return figure, grid


def rollout(panels: dict[str, np.ndarray], seconds: np.ndarray, temperature: float) -> Figure:
    """Figure 3: a row of frames (N, 64, 64, 3) for each panel, seconds (N,) under the last row."""
    figure, grid = make_grid(np.stack(list(panels.values())), list(panels))
    for axes, second in zip(grid[-1], seconds, strict=True):
        axes.set_xlabel(f"{second:.2f}", fontsize=9)
    figure.suptitle(f"A rollout, V's reconstruction, M's dream (temperature {temperature:g})")
    figure.supxlabel("time (seconds; 50 frames each)", fontsize=10)
    return figure


def reconstructions(obs: np.ndarray, recon: np.ndarray, names: list[str]) -> Figure:
    """Figure 12: frames (N, 64, 64, 3) uint8 above, what V makes of them below."""
    figure, grid = make_grid(np.stack([obs, recon]), ["input", "reconstruction"], side=1.4)
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(name.replace(" with ", "\nwith "), fontsize=9)
    figure.suptitle("V: frames and their reconstructions", fontsize=11)
    return figure


def traversal(images: np.ndarray, labels: list[str], steps: np.ndarray) -> Figure:
    """Frames (D, S, 64, 64, 3): a row for each dimension of z, a column for each step of it."""
    figure, grid = make_grid(images, labels)
    for axes in grid[:, 0]:
        axes.yaxis.label.set(rotation=0, ha="right", va="center", fontsize=9)
    for axes, step in zip(grid[-1], steps, strict=True):
        axes.set_xlabel(f"{step:+d} σ" if step else "mean")
    figure.suptitle(f"V: the {len(images)} most active dimensions of z")
    figure.supxlabel("value of that dimension (σ of mu over held-out frames)", fontsize=10)
    return figure
