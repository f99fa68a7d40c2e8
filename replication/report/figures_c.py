"""Figure 14: C's returns over generations and over core-hours, beside the published curves."""

from typing import NamedTuple

from replication.report import published
from replication.report.computing_time import all_core_hours, core_hours
from replication.report.curves import with_styles
from replication.report.run_record import Run, first_with_log
from replication.report.style import (
    ORIGINAL,
    OURS,
    REPORT,
    WELLMER,
    Drawing,
    make_figure,
    shared_legend,
)

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

CORES = 64  # that the original ran on (paper, A.4)
PUBLISHED = (
    f"As in the report's Figure 14, the published curves are on {published.ENVIRONMENT}: green is"
    f" the original's training log ({CORES} cores, hours by its own clock), blue is Wellmer's"
    " (generations only: its log has no times), orange is this run. The report's best return was"
    f" {published.REPORT_BEST}, after 47 h on 4 workers: the dotted line and the star."
)


class Search(NamedTuple):
    """A run's search, as the figure has it."""

    log: list[dict]  # empty if the run has none
    rounds: list[dict]  # that came before it
    judged: str  # where what it found was evaluated


def draw_controller(runs: list[Run]) -> Drawing | None:
    """The returns of all runs' C; None if none has a log of C."""
    run = first_with_log(runs, "train_controller")
    if not run:
        return None
    searches = {f"{run.name} ({_where(run)})": _search(run) for run in runs}
    who = "Ours" if run is runs[0] else f"This run has no search of C; {run.name}'s"
    theirs = "the original's, Wellmer's, and " if run.is_reports else ""
    alt = f"Curves of mean return: {theirs}ours, at {run.logs['train_controller'][-1]['mean']:.0f}."
    return Drawing(controller_figure(searches, run.is_reports), _caption(run, who), alt)


def _search(run: Run) -> Search:
    judged = "in dreams" if run.judge == "dream" else "on fresh tracks"
    return Search(run.logs["train_controller"], run.rounds_before, judged)


def _where(run: Run) -> str:
    """Where its candidates drove."""
    return f"dreams of {run.environment}" if run.world == "dream" else run.environment


def _caption(run: Run, who: str) -> str:
    log = run.logs["train_controller"]
    hours, last = all_core_hours(run.rounds_before) + all_core_hours(log), log[-1]
    in_dreams = run.world == "dream"
    unit = ", in what M predicts (tiles, for the car)" if in_dreams else ""
    return (
        "C's returns over generations of CMA-ES (left) and over core-hours of C's training alone"
        f" (right). {who}, {'in' if in_dreams else 'on'} {_where(run)}, is at generation"
        f" {last['step']} after {hours:.3g} core-hours; the mean of the population is"
        f" {last['mean']:.1f}{unit}. The band reaches from the worst candidate to the best."
        f" {_rounds(run)}{_earlier_and_short(run)}{_best_evaluation(run)}"
        f"{PUBLISHED if run.is_reports else ''}"
    )


def _rounds(run: Run) -> str:
    if not run.rounds_before:
        return ""
    return (
        f"Before that search {len(run.rounds_before)} rounds of dreaming and driving took"
        f" {all_core_hours(run.rounds_before):.3g} core-hours, M's learning with them: dotted on"
        " the right, the best C of each round in the game. "
    )


def _earlier_and_short(run: Run) -> str:
    """Sentences on the generations of earlier searches, and on those of short episodes."""
    text, own = "", "first"
    if run.earlier:
        text = (
            f"The first {run.earlier} generations are those of the searches that this one started"
            " from. "
        )
        own = "own first"
    if short := run.settings.get("controller.short"):
        text += (
            f"Its {own} {short} generations drove episodes of at most"
            f" {run.settings['controller.short_steps']} frames, so their returns are smaller."
            " Evaluations are always of whole episodes. "
        )
    return text


def _best_evaluation(run: Run) -> str:
    log = run.logs["train_controller"][run.earlier :]
    evaluations = [line for line in log if "eval_mean" in line]
    if not evaluations:
        return ""
    best = max(evaluations, key=lambda line: line["eval_mean"])
    return (
        f"The best evaluation of {_evaluated(run)} is {best['eval_mean']:.1f} ±"
        f" {best['eval_std']:.1f} over {best['eval_episodes']:.0f}"
        f" {'dreams' if run.judge == 'dream' else 'fresh tracks'}, at generation {best['step']}. "
    )


def _evaluated(run: Run) -> str:
    if run.settings.get("controller.average"):
        return "the mean of the search distribution's last means"
    return "the search distribution's mean"


def controller_figure(searches: dict[str, Search], beside_published: bool = True) -> Figure:
    """Returns over generations (left) and core-hours (right): published curves, then ours.

    searches: by name, the page's own run first.
    """
    logs = {name: search.log for name, search in searches.items()}
    figure, (left, right) = make_figure(10, 4.9 + 0.3 * len(logs), 2, sharey=True)
    if beside_published:
        _plot_original(left, right)
        _plot_wellmer(left)
        _plot_report(left, right)
    for name, log, style in with_styles(logs):
        rounds = searches[name].rounds
        hours = all_core_hours(rounds) + core_hours(log)
        _plot_search(left, name, searches[name], np.array([line["step"] for line in log]), style)
        _plot_rounds(right, name, rounds, style)
        _plot_search(right, name, searches[name], hours, style)
    left.set(title="C: return over generations", xlabel="generation", ylabel="return of an episode")
    left.set_xscale("symlog", linthresh=1)  # 0 to 1800: ten generations stay visible
    left.set_xlim(0, 2500)
    left.xaxis.set_major_formatter("{x:,g}")
    right.set(
        title="C: return over computing", xlabel="core-hours (processes × hours)", xscale="log"
    )
    right.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}")
    shared_legend(figure, left, right)
    return figure


def _plot_original(left: Axes, right: Axes) -> None:
    original, owner = published.original_training(), f"original ({published.ENVIRONMENT})"
    mean, best = original["population_mean"], original["best_eval_mean_1024_rollouts"]
    hours = original["seconds"] * CORES / 3600
    for axes, x in ((left, original["generation"]), (right, hours)):
        axes.plot(x, mean, color=ORIGINAL, lw=1.6, label=f"{owner}: mean of the population")
        label = f"{owner}: evaluations, 1024 rollouts"
        axes.plot(x, best, "^", color=ORIGINAL, ms=3, label=label)


def _plot_wellmer(axes: Axes) -> None:
    wellmer, owner = published.wellmer_evaluations(), f"Wellmer ({published.ENVIRONMENT})"
    x, mean, std = (wellmer[key] for key in ("generation", "eval_mean_return", "eval_std"))
    style = {"color": WELLMER, "lw": 1.6, "ls": "--", "marker": "s", "ms": 3}
    axes.plot(x, mean, label=f"{owner}: evaluations", **style)
    label = f"{owner}: ± std"
    axes.fill_between(x, mean - std, mean + std, color=WELLMER, alpha=0.18, lw=0, label=label)


def _plot_report(left: Axes, right: Axes) -> None:
    best, hours = published.REPORT_BEST, published.REPORT_HOURS
    for axes in (left, right):
        axes.axhline(best, color=REPORT, lw=1, ls=":")
    owner = f"2021 report ({published.ENVIRONMENT})"
    label = f"{owner}: its best return, {best}, after {hours} core-hours"
    right.plot([hours], [best], "*", color=REPORT, ms=12, ls="none", label=label)


def _plot_rounds(axes: Axes, name: str, rounds: list[dict], style: dict) -> None:
    """The best C of each round in the game, over core-hours."""
    if rounds:
        means = [line["mean"] for line in rounds]
        dotted = {"lw": 1.4, "ls": ":", "marker": ".", "ms": 5, "color": style["color"]}
        label = f"{name}: rounds, best C in the game"
        axes.plot(core_hours(rounds), means, label=label, **dotted)


def _plot_search(axes: Axes, name: str, search: Search, x: np.ndarray, style: dict) -> None:
    """One run: the population's mean over x (lines,), the page's own run with a band, evaluations.

    The band reaches from the worst candidate of a generation to its best.
    """
    log = search.log
    means, best, worst = (
        np.array([line[key] for line in log]) for key in ("mean", "best", "worst")
    )
    dots = {"marker": "." if len(log) < 30 else "", "ms": 4}
    axes.plot(x, means, lw=1.8, label=f"{name}: mean of the population", **dots | style)
    if style["color"] == OURS:
        label = f"{name}: worst to best candidate"
        axes.fill_between(x, worst, best, color=OURS, alpha=0.22, lw=0, label=label)
    evaluated = np.array(["eval_mean" in line for line in log])
    if evaluated.any():
        lines = [line for line in log if "eval_mean" in line]
        axes.errorbar(
            x[evaluated], [line["eval_mean"] for line in lines],
            [line["eval_std"] for line in lines], fmt=style.get("marker", "o"), ms=6,
            color=style["color"], ecolor=style["color"], mec="black", mew=0.8, capsize=2,
            label=f"{name}: evaluations {search.judged} ± std",
        )  # fmt: skip
