"""Figure 8: the weights of M's mixture over an episode, the events they go with, forced dreams."""

from replication.report.frame_grid import make_grid
from replication.report.run_record import Run
from replication.report.style import OURS, Drawing, shared_legend
from replication.rnn.component_tests import MIN_STEPS, SIGNIFICANCE
from replication.tasks.task import Task

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")  # Okabe & Ito
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1, 1, 1)), (0, (3, 1, 1, 1, 1, 1)))


# Weights over an episode -------------------------------------------------------------------------


def draw_weights(runs: list[Run]) -> Drawing | None:
    """The weights over an episode of the first run; None if its events stage has not run."""
    events = runs[0].events
    if not events:
        return None
    names = ", ".join(events["names"][events["happening"].any(axis=0)])
    alt = f"Frames, curves of five weights in two panels, and marks of events: {names}."
    figure = weights_figure(events, runs[0].task.fps)
    return Drawing(figure, _weights_caption(events, runs[0].task), alt)


def _weights_caption(events: dict[str, np.ndarray], task: Task) -> str:
    steps, dimension, switching = len(events["weights"]), events["dimension"], events["switching"]
    meanings = zip(events["names"], events["meanings"], strict=True)
    hidden = "; events of the road count while the car is on it" if task.events.hides else ""
    return (
        f"{steps} steps of an episode of the run's agent (seed {events['seed']}, {task.fps} steps a"
        " second): what it sees, and the weights of M's Gaussians in its prediction of the next"
        " frame's z. Each dimension of z has weights of its own. The upper panel shows the"
        f" dimension whose weights change most over {len(events['during'])} episodes, z"
        f" {dimension}: on average {switching[dimension]:.3f} of the weight moves at each step,"
        f" against {np.median(switching):.3f} in the median dimension. The lower panel shows the"
        f" mean over all {len(switching)} dimensions; there components are averaged that have"
        " nothing in common but their number. The stretch is the one with the most kinds of"
        f" events, and the first of them if there are several{hidden}. What counts as an event:"
        f" {'; '.join(f'{name}: {meaning}' for name, meaning in meanings)}."
        " The report's Figure 8 is that of Ellefsen et al. (2019), from VizDoom."
    )


def weights_figure(events: dict[str, np.ndarray], fps: int) -> Figure:
    """Frames, weights of one dimension and of the mean, and events, over the same steps."""
    steps = events["start"] + np.arange(len(events["weights"]))
    figure = Figure(figsize=(11, 8.2), layout="constrained")
    film, one, mean, marks = figure.subplots(4, 1, sharex=True, height_ratios=(0.92, 1.7, 1.7, 1.2))
    _plot_film(film, events["frames"], events["start"], events["every"])
    title = f"dimension z {events['dimension']}, the most switching one"
    _plot_weights(one, steps, events["weights"], title)
    title = f"mean over the {len(events['switching'])} dimensions of z"
    _plot_weights(mean, steps, events["mean_weights"], title)
    one.set_ylim(top=1)
    shared_legend(figure, one, columns=events["weights"].shape[1])
    _plot_events(marks, steps, events["happening"], list(events["names"]))
    marks.set(xlabel=f"step of the episode ({fps} a second)", xlim=(steps[0], steps[-1] + 1))
    return figure


def _plot_weights(axes: Axes, steps: np.ndarray, weights: np.ndarray, title: str) -> None:
    """A curve for each component: weights (T, K) over steps (T,)."""
    for k, weight in enumerate(weights.T):
        style = {"color": COLOURS[k % 5], "ls": DASHES[k % 5]}
        axes.plot(steps, weight, lw=1.8, label=f"component {k + 1}", **style)
    axes.set(title=f"Weights of M's mixture: {title}", ylabel="weight")
    axes.set_ylim(bottom=0)


def _plot_film(axes: Axes, frames: np.ndarray, start: int, every: int) -> None:
    """Frames (N, 64, 64, 3) in a row, from step `start`, one for so many steps."""
    for number, frame in enumerate(frames):
        left = start + number * every
        axes.imshow(frame, extent=(left, left + every * 0.97, 0, 1), aspect="auto")
    axes.set(yticks=[], ylim=(0, 1), title="What the agent sees at the left edge of each frame")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(bottom=False)


def _plot_events(axes: Axes, steps: np.ndarray, happening: np.ndarray, names: list[str]) -> None:
    """A row for each event, with a bar where it happens: happening bool (T, E), steps (T,)."""
    for row, happens in enumerate(happening.T):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], happens, [0]])))  # on, off, on, ...
        bars = [(steps[0] + on, off - on) for on, off in edges.reshape(-1, 2)]
        axes.broken_barh(bars, (row - 0.35, 0.7), color="0.35")
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.4, -0.6), title="What happens")


# Tests of components and events -----------------------------------------------------------------


def draw_events(runs: list[Run]) -> Drawing | None:
    """Shares and tests of the first run; None if its events stage has not run."""
    run = runs[0]
    if not run.events or not run.tests:
        return None
    significant = [
        f"{row['component']} in {row['event']}" for row in run.tests if is_significant(row)
    ]
    alt = (
        "Shares of five components in six events. They differ for:"
        f" {', '.join(significant) or 'none'}."
    )
    return Drawing(events_figure(run.events, run.tests), _events_caption(run), alt)


def _events_caption(run: Run) -> str:
    tested = [row for row in run.tests if row["p"] is not None]
    untested = sorted({row["event"] for row in run.tests if row["p"] is None})
    seldom = f" Too seldom to be tested: {', '.join(untested)}." if untested else ""
    return (
        "A component speaks in the steps in which its weight, in dimension"
        f" z {run.events['dimension']}, is the largest. Each dot is one of"
        f" {len(run.events['during'])} episodes: the component's share of the steps during an event"
        " (filled), and its share of all other steps of that episode (hollow). An episode counts"
        f" on a side where it has at least {MIN_STEPS} steps. Bars are medians over episodes. A"
        " star means that the two shares differ by Mann and Whitney's U test over episodes,"
        f" two-sided, corrected for {len(tested)} tests by Holm's method, at p < {SIGNIFICANCE:g}:"
        f" {sum(map(is_significant, tested))} of them do. The table is below. Only one dimension is"
        " tested, because the numbers of components mean nothing across dimensions; it was chosen"
        " without a look at the events. Two limits: an episode can give a share to both sides,"
        " which the test takes for independent; and successive steps are alike, which is why the"
        f" test counts episodes and not steps.{seldom}"
    )


def is_significant(test: dict) -> bool:
    """Whether a row of tests.csv says that a component's share differs between the two sides."""
    return test["p_holm"] is not None and test["p_holm"] < SIGNIFICANCE


def events_figure(events: dict[str, np.ndarray], tests: list[dict]) -> Figure:
    """A panel for each event: the shares of each component during it and in all other steps."""
    names = list(events["names"])
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True)
    for e, axes in enumerate(panels):
        _plot_shares(axes, events["during"][:, e], -0.17, OURS, "during the event")
        _plot_shares(axes, events["otherwise"][:, e], 0.17, "white", "in all other steps")
        rows = [row for row in tests if row["event"] == names[e]]
        _plot_stars(axes, rows)
        counts = f"{rows[0]['episodes_during']} against {rows[0]['episodes_otherwise']} episodes"
        axes.set_title(f"{names[e]}\n{counts}", fontsize=9)
        axes.set(xlim=(-0.05, 1.25), xticks=[0, 0.5, 1], xlabel="share of the steps")
    components = events["during"].shape[2]
    panels[0].set_yticks(range(components), [f"component {k + 1}" for k in range(components)])
    panels[0].set_ylim(components - 0.5, -0.5)
    figure.suptitle(f"Which component speaks in which event (dimension z {events['dimension']})")
    shared_legend(figure, panels[0])
    return figure


def _plot_shares(axes: Axes, shares: np.ndarray, shift: float, face: str, label: str) -> None:
    """A dot for each episode and a bar at the median: shares (N, K), NaN where it has none."""
    for k, values in enumerate(shares.T):
        values = values[~np.isnan(values)]
        y = np.full(len(values), k + shift)
        axes.plot(
            values, y, "o", ms=5, mfc=face, mec="black", mew=0.7, ls="none", alpha=0.75,
            label=f"an episode: {label}" if k == 0 else None,
        )  # fmt: skip
        if len(values):
            axes.plot([np.median(values)] * 2, [y[0] - 0.15, y[0] + 0.15], color="black", lw=2.2)


def _plot_stars(axes: Axes, tests: list[dict]) -> None:
    for test in filter(is_significant, tests):
        axes.text(1.14, test["component"] - 1, "★", ha="center", va="center", fontsize=12)


# Forced dreams ----------------------------------------------------------------------------------


def draw_forced(runs: list[Run]) -> Drawing | None:
    """The first run's dreams of one component; None if its events stage has not run."""
    events = runs[0].events
    if not events:
        return None
    count = len(events["forced"]) - 1
    caption = (
        "Dreams of the stretch above. M alone starts from its first frame, with the h that M had"
        " there, and takes the actions that were taken, at temperature 1; V decodes. The second row"
        f" draws z from the whole mixture. Each row below draws every z from one of the {count}"
        " Gaussians, the same in all dimensions. All rows use the same random numbers. A longer"
        " dream of one component, as a video:"
        f" python replication/dream.py --run {runs[0].name} --component 2."
    )
    alt = f"Rows of frames: the game, a dream of the mixture, and dreams of {count} components."
    return Drawing(forced_figure(events, runs[0].task.fps), caption, alt)


def forced_figure(events: dict[str, np.ndarray], fps: int) -> Figure:
    """Rows of frames: the game, the dream of the mixture, the dream of each component."""
    rows = np.stack([events["frames"], *events["forced"]])  # (2 + K, N, 64, 64, 3)
    components = [f"component\n{k} alone" for k in range(1, len(rows) - 1)]
    figure, grid = make_grid(rows, ["the game", "dream of\nthe mixture", *components])
    for axes in grid[:, 0]:
        axes.yaxis.label.set(rotation=0, ha="right", va="center")
    for number, axes in enumerate(grid[-1]):
        axes.set_xlabel(f"{events['start'] + number * events['every']}", fontsize=9)
    figure.suptitle("Dreams from one start, with one component of the mixture forced")
    figure.supxlabel(f"step of the episode ({fps} a second)", fontsize=10)
    return figure
