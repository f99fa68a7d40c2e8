"""Figure 8: the mixture of M over a drive, which event each component goes with, and each alone."""

from replication.report import pictures, plots
from replication.report.saved import Run
from replication.rnn.dominance import LEAST, LEVEL

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")  # Okabe & Ito
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1, 1, 1)), (0, (3, 1, 1, 1, 1, 1)))


def draw_weights(overlaid: list[Run]) -> plots.Drawing | None:
    events = overlaid[0].events
    if not events:
        return None
    steps, dimension = len(events["weights"]), events["dimension"]
    meanings = zip(events["names"], events["meanings"], strict=True)
    caption = (
        f"{steps} steps of a drive by the run's agent (track {events['seed']}, 50 steps a second):"
        " what it sees, and the weights of M's Gaussians in its prediction of the next frame's z."
        " Each dimension of z has weights of its own. Above, the dimension whose weights move most"
        f" over {len(events['during'])} drives, z {dimension}: {events['switching'][dimension]:.3f}"
        " of the weight moves at each step, on average, against"
        f" {np.median(events['switching']):.3f} in the median dimension. Below, the mean over all"
        " 32, where components that share only a number come together. The stretch is the one with"
        " the most kinds of events, those of the road counted while the car is on it, and the"
        " first of them if there are several. Events, from the"
        f" simulator's state: {'; '.join(f'{name}: {meaning}' for name, meaning in meanings)}."
        " The report's Figure 8 is Ellefsen et al.'s (2019), from VizDoom."
    )
    happened = ", ".join(events["names"][events["happening"].any(axis=0)])
    alt = f"Frames, curves of five weights in two panels, and marks of events: {happened}."
    return weights_figure(events), caption, alt


def weights_figure(events: dict[str, np.ndarray]) -> Figure:
    """Frames, weights of one dimension and of the mean, and events, over the same steps."""
    steps = events["start"] + np.arange(len(events["weights"]))
    figure = Figure(figsize=(11, 8.2), layout="constrained")
    frames, one, mean, below = figure.subplots(
        4, 1, sharex=True, height_ratios=(0.92, 1.7, 1.7, 1.2)
    )
    _film(frames, events["frames"], events["start"], events["every"])
    for axes, weights, title in (
        (one, events["weights"], f"dimension z {events['dimension']}, the most switching one"),
        (mean, events["mean_weights"], "mean over the 32 dimensions of z"),
    ):
        for k, weight in enumerate(weights.T):
            style = {"color": COLOURS[k % 5], "ls": DASHES[k % 5]}
            axes.plot(steps, weight, lw=1.8, label=f"component {k + 1}", **style)
        axes.set(title=f"Weights of M's mixture: {title}", ylabel="weight")
        axes.set_ylim(bottom=0)
    one.set_ylim(top=1)
    plots.shared_legend(figure, one, columns=weights.shape[1])
    _raster(below, steps, events["happening"], list(events["names"]))
    below.set(xlabel="step of the episode (50 a second)", xlim=(steps[0], steps[-1] + 1))
    return figure


def _film(axes: Axes, frames: np.ndarray, start: int, every: int) -> None:
    """Each frame above the steps that follow it: its left edge is its time."""
    for number, frame in enumerate(frames):
        left = start + number * every
        axes.imshow(frame, extent=(left, left + every * 0.97, 0, 1), aspect="auto")
    axes.set(yticks=[], ylim=(0, 1), title="What the agent sees at the left edge of each frame")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(bottom=False)


def _raster(axes: Axes, steps: np.ndarray, happening: np.ndarray, names: list[str]) -> None:
    """A bar for each stretch of steps in which an event happens."""
    for row, happens in enumerate(happening.T):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], happens, [0]])))  # on, off, on, ...
        bars = [(steps[0] + on, off - on) for on, off in edges.reshape(-1, 2)]
        axes.broken_barh(bars, (row - 0.35, 0.7), color="0.35")
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.4, -0.6), title="What happens, in the simulator")


def draw_events(overlaid: list[Run]) -> plots.Drawing | None:
    run = overlaid[0]
    if not run.events or not run.tests:
        return None
    made = [row for row in run.tests if row["p"] is not None]
    found = [row for row in made if row["p_holm"] < LEVEL]
    untested = sorted({row["event"] for row in run.tests if row["p"] is None})
    caption = (
        "A component speaks in the steps where its weight, in dimension"
        f" z {run.events['dimension']}, is the largest. For each of {len(run.events['during'])}"
        " drives: its share of the steps during an event, and of all other steps of that drive"
        f" (each counts where it has at least {LEAST} steps). Bars are medians over drives. A star:"
        " the two shares differ, by Mann and Whitney's U test over drives, two-sided, corrected for"
        f" {len(made)} tests after Holm, at p < {LEVEL:g}: {len(found)} of them do. The table is"
        " below. One dimension is tested, since component numbers mean nothing across dimensions;"
        " it was chosen without a look at the events. A drive can give a share to both sides, which"
        " the test does not know; and steps that follow each other are alike, which is why"
        " drives are counted and not steps."
    )
    if untested:
        caption += f" Too seldom to be tested: {', '.join(untested)}."
    said = [f"{row['component']} in {row['event']}" for row in found]
    alt = f"Shares of five components in six events. They differ for: {', '.join(said) or 'none'}."
    return events_figure(run.events, run.tests), caption, alt


def events_figure(events: dict[str, np.ndarray], tests: list[dict]) -> Figure:
    """A panel an event: each component's share during it (filled) and otherwise (hollow)."""
    names = list(events["names"])
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True)
    for e, axes in enumerate(panels):
        for side, label, shift, face in (
            ("during", "during the event", -0.17, plots.OURS),
            ("otherwise", "in all other steps", 0.17, "white"),
        ):
            _shares(axes, events[side][:, e], shift, face, label)
        rows = [row for row in tests if row["event"] == names[e]]
        _stars(axes, rows)
        drives = f"{rows[0]['episodes_during']} against {rows[0]['episodes_otherwise']} drives"
        axes.set_title(f"{names[e]}\n{drives}", fontsize=10)
        axes.set(xlim=(-0.05, 1.25), xticks=[0, 0.5, 1], xlabel="share of the steps")
    components = events["during"].shape[2]
    panels[0].set_yticks(range(components), [f"component {k + 1}" for k in range(components)])
    panels[0].set_ylim(components - 0.5, -0.5)
    figure.suptitle(f"Which component speaks in which event (dimension z {events['dimension']})")
    plots.shared_legend(figure, panels[0])
    return figure


def _shares(axes: Axes, shares: np.ndarray, shift: float, face: str, label: str) -> None:
    """shares (N, K), NaN where a drive does not count: a dot each, a bar at the median."""
    for k, values in enumerate(shares.T):
        values = values[~np.isnan(values)]
        y = np.full(len(values), k + shift)
        axes.plot(
            values, y, "o", ms=5, mfc=face, mec="black", mew=0.7, ls="none", alpha=0.75,
            label=f"a drive: {label}" if k == 0 else None,
        )  # fmt: skip
        if len(values):
            axes.plot([np.median(values)] * 2, [y[0] - 0.15, y[0] + 0.15], color="black", lw=2.2)


def _stars(axes: Axes, rows: list[dict]) -> None:
    for row in rows:
        if row["p_holm"] is not None and row["p_holm"] < LEVEL:
            axes.text(1.14, row["component"] - 1, "★", ha="center", va="center", fontsize=12)


def draw_forced(overlaid: list[Run]) -> plots.Drawing | None:
    events = overlaid[0].events
    if not events:
        return None
    count = len(events["forced"]) - 1
    caption = (
        "The stretch above, dreamt: M alone, from its first frame (with the h that M had there),"
        " under the actions that were taken, at temperature 1, decoded by V. The whole mixture,"
        f" then dreams in which every z is drawn from one and the same of the {count} Gaussians in"
        " all dimensions; all with the same random numbers. A longer one"
        f" as a video: python replication/dream.py --run {overlaid[0].name} --component 2."
    )
    alt = f"Rows of frames: the drive, a dream of the mixture, and dreams of {count} components."
    return forced_figure(events), caption, alt


def forced_figure(events: dict[str, np.ndarray]) -> Figure:
    """The drive, the dream of the mixture, and of each component: a row of frames each."""
    rows = np.stack([events["frames"], *events["forced"]])  # (2 + K, N, 64, 64, 3)
    components = [f"component\n{k} alone" for k in range(1, len(rows) - 1)]
    figure, grid = pictures.make_grid(rows, ["the drive", "dream of\nthe mixture", *components])
    for axes in grid[:, 0]:
        axes.yaxis.label.set(rotation=0, ha="right", va="center")
    for number, axes in enumerate(grid[-1]):
        axes.set_xlabel(f"{events['start'] + number * events['every']}", fontsize=9)
    figure.suptitle("Dreams from one start, with one component of the mixture forced")
    figure.supxlabel("step of the episode (50 a second)", fontsize=10)
    return figure
