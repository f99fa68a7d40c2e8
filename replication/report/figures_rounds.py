"""The figure of the rounds: what the dream promised, and what the game gave."""

from replication.report.computing_time import all_core_hours, core_hours
from replication.report.curves import Logs, column, with_styles
from replication.report.run_record import Run
from replication.report.style import Drawing, make_figure, shared_legend

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import spearmanr

TICKS = 8  # of the axis of core-hours, at most


def draw_rounds(runs: list[Run]) -> Drawing | None:
    """Returns in game and dream, round by round; None if the first run has no rounds."""
    if not (log := runs[0].logs["rounds"]):
        return None
    best = max(log, key=lambda line: line["mean"])
    frames, steps = (sum(line[key] for line in log) for key in ("frames", "dream_steps"))
    caption = (
        "Returns by round. Solid, left axis: the best C of each round in the game, mean ± its"
        " standard error; dots: the others that played the same seeds, from the one that the round"
        " began with to the end of its search. Dashed, right axis: what M's dream promised that C,"
        " the mean of 64 dreams, in what M predicts (tiles, for the car). Right: all those C's,"
        f" game against dream; Spearman's coefficient is {_rank_correlation(log):.2f} over all"
        f" rounds, and {_within_a_round(log):.2f} within a round, on average. No candidate's"
        " fitness is from the game: its episodes only say from where the next round goes on."
        f" {_failed(log)} The best round of {runs[0].name} is {best['step']}:"
        f" {best['mean']:.1f} ± {best['std']:.1f} (standard deviation) over {best['episodes']}"
        f" episodes, the worst of them {best['worst']:.1f}. It was chosen by these, so it is no"
        f" score. Its {len(log)} rounds took {all_core_hours(log):.3g} core-hours, {frames:,}"
        f" frames of the game and {steps:,} steps of dreams; what came before them is not counted."
    )
    alt = f"Curves over {len(log)} rounds; in the game the best has {best['mean']:.0f}."
    return Drawing(rounds_figure({run.name: run.logs["rounds"] for run in runs}), caption, alt)


def _rank_correlation(log: list[dict]) -> float:
    """Spearman's, of all C's returns in the dream and in the game; nan where they are all alike."""
    return float(spearmanr(*_pairs(log)).statistic)


def _within_a_round(log: list[dict]) -> float:
    """The same of each round's C's by themselves, the mean: both numbers rise from round to round,
    so that all rounds together tell little of whether a dream ranks C's.
    """
    return float(np.mean([_rank_correlation([line]) for line in log]))


def _pairs(log: list[dict]) -> tuple[list[float], list[float]]:
    """What each C of all rounds had in the dream, and in the game."""
    return sum((line["dreams"] for line in log), []), sum((line["means"] for line in log), [])


def _failed(log: list[dict]) -> str:
    """A sentence on the rounds whose search found nothing better in the game."""
    if not (failed := [str(line["step"]) for line in log if not line["best"]]):
        return "Every round's search found a better C."
    return (
        "Crosses mark rounds whose search found nothing better in the game than what it began with:"
        f" {', '.join(failed)}."
    )


def rounds_figure(logs: Logs) -> Figure:
    """The game at the left axis, the dream at the right one, core-hours along the top."""
    figure, (game, scatter) = make_figure(13, 5.2, 2)
    dream = game.twinx()
    for name, log, style in with_styles(logs):
        _plot_game(game, name, log, style)
        label = f"{name}: promised by the dream (right axis)"
        dream.plot(*column(log, "dream"), ls="--", lw=1.4, label=label, **style)
    game.set(title="Rounds of dreaming and driving", xlabel="round", ylabel="return in the game")
    game.xaxis.get_major_locator().set_params(integer=True)
    dream.set_ylabel("return in the dream")
    dream.spines["right"].set_visible(True)
    dream.grid(False)
    for log, style in ((log, style) for _, log, style in with_styles(logs)):
        scatter.plot(*_pairs(log), "o", ms=4, alpha=0.6, color=style["color"])
    scatter.set(title="Each C that played", xlabel="mean return in the dream")
    scatter.set_ylabel("mean return in the game")
    _add_core_hours(game, *next(iter(logs.items())))
    shared_legend(figure, game, dream)
    return figure


def _plot_game(axes: Axes, name: str, log: list[dict], style: dict) -> None:
    steps, means = column(log, "mean")
    errors = column(log, "std")[1] / np.sqrt(column(log, "episodes")[1])
    label = f"{name}: driven in the game ± standard error"
    axes.errorbar(steps, means, errors, capsize=3, lw=1.8, label=label, **{"marker": "o"} | style)
    dots = [(line["step"], mean) for line in log for mean in line["means"]]
    axes.plot(*zip(*dots, strict=True), ".", ms=4, alpha=0.45, color=style["color"])
    failed = column(log, "best")[1] == 0
    if failed.any():
        cross = {"color": style["color"], "marker": "x", "ms": 13, "mew": 2, "ls": "none"}
        label = f"{name}: the search found nothing better"
        axes.plot(steps[failed], means[failed], label=label, zorder=3, **cross)


def _add_core_hours(axes: Axes, name: str, log: list[dict]) -> None:
    """Along the top the core-hours that a run's rounds had taken."""
    every = -(-len(log) // TICKS)
    shown = slice(every - 1, None, every)
    top = axes.secondary_xaxis("top")
    top.set_xticks(column(log, "step")[0][shown], [f"{h:.2g}" for h in core_hours(log)[shown]])
    top.set_xlabel(f"core-hours of the rounds of {name}")
