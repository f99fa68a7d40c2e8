"""Figure 3: a rollout, V's reconstruction of it, and a dream that starts like it."""

from replication.report.frame_grid import make_grid
from replication.report.run_record import Run
from replication.report.style import Drawing

import numpy as np
from matplotlib.figure import Figure

PANELS = ("environment", "reconstruction", "dream")  # rows of the figure, arrays of rollout.npz


def draw_rollout(runs: list[Run]) -> Drawing | None:
    """The first run's rollout; None if its dream stage has not run."""
    rollout = runs[0].rollout
    if not rollout:
        return None
    reported = (
        " The report's Figure 3 shows a frame beside its reconstruction, and notes that the place"
        " of the car and the road are kept and that some details are lost."
    )
    caption = (
        "Above: a held-out rollout as the environment shows it. Middle: V's reconstruction of the"
        " same frames from the mean of z. Below: a dream. M alone starts from the same first frame,"
        " takes the same actions, and predicts every later z at temperature"
        f" {rollout['temperature']:g}; V decodes them. The dream sees no frame after the first: it"
        " begins like the rollout, then follows what M finds likely."
        f"{reported if runs[0].is_reports else ''} The same as a video: dream/fig3.mp4 and fig3.gif"
        " in the run's folder."
    )
    seconds = ", ".join(f"{second:.2f}" for second in rollout["seconds"])
    alt = f"Rows of frames: {', '.join(PANELS)}; at {seconds} seconds."
    return Drawing(rollout_figure(rollout, runs[0].task.fps), caption, alt)


def rollout_figure(rollout: dict[str, np.ndarray], fps: int) -> Figure:
    """A row of frames uint8 (N, 64, 64, 3) for each of PANELS; `seconds` (N,) under the last."""
    figure, grid = make_grid(np.stack([rollout[name] for name in PANELS]), list(PANELS))
    for axes, second in zip(grid[-1], rollout["seconds"], strict=True):
        axes.set_xlabel(f"{second:.2f}", fontsize=9)
    temperature = f"temperature {rollout['temperature']:g}"
    figure.suptitle(f"A rollout, V's reconstruction, M's dream ({temperature})")
    figure.supxlabel(f"time (seconds; {fps} frames each)", fontsize=10)
    return figure
