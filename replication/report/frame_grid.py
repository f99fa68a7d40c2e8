"""A grid of frames with a label for each row: what all figures made of frames are drawn with."""

import numpy as np
from matplotlib.figure import Figure

SIDE = 1.0  # inches of a frame


def make_grid(
    images: np.ndarray, labels: list[str], side: float = SIDE
) -> tuple[Figure, np.ndarray]:
    """Draw frames uint8 (rows, columns, 64, 64, 3), `side` inches large, a label left of each row.

    Returns the figure and its axes (rows, columns).
    """
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
