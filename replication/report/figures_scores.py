"""The score of a run's agent: its returns on fresh tracks, beside the published scores."""

from replication.report.published import ENVIRONMENT, PAPER_MEAN, PAPER_STD
from replication.report.run_record import Run
from replication.report.score_table import our_scores, score_table
from replication.report.style import ORIGINAL, OURS, Drawing, make_figure, shared_legend

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def draw_scores(runs: list[Run]) -> Drawing | None:
    """The first run's returns and all scores; None if it has not been evaluated."""
    run, evaluation = runs[0], runs[0].evaluation
    if not evaluation:
        return None
    score = f"{evaluation['mean']:.1f} ± {evaluation['std']:.1f}"
    caption = (
        f"Left: the run's agent (controller/best.json) on {evaluation['episodes']} tracks of stock"
        f" {run.environment}, with seeds that no training uses: {score}, from"
        f" {evaluation['min']:.1f} to {evaluation['max']:.1f}.{_beside(run, evaluation)}"
    )
    rows = score_table(runs)
    alt = f"Histogram of returns, {score}, beside a chart of {len(rows)} scores."
    ours = {row["who"] for row in our_scores(runs)}
    return Drawing(scores_figure(run, rows, ours), caption, alt)


def _beside(run: Run, evaluation: dict) -> str:
    """What the caption says of the published scores, where there are any of this game."""
    if not run.is_reports:
        return " Right: the scores of all runs shown."
    few = " Fewer than the 100 of the published scores." if evaluation["episodes"] < 100 else ""
    return (
        f"{few} The paper has {PAPER_MEAN} ± {PAPER_STD} over 100 tracks of {ENVIRONMENT}. Right:"
        f" every row of the table of scores, on {ENVIRONMENT} where no other environment is named,"
        " with the standard deviation over episodes where it is known. The report's score is the"
        " best return of its training."
    )


def scores_figure(run: Run, rows: list[dict], ours: set[str]) -> Figure:
    """The returns of one agent, and the table of scores; ours: the `who` of our rows."""
    figure, (left, right) = make_figure(10, 1.2 + 0.33 * max(len(rows), 12), 2)
    _plot_returns(left, run)
    shared_legend(figure, left)
    _plot_scores(right, rows, ours)
    return figure


def _plot_returns(axes: Axes, run: Run) -> None:
    """A histogram of the returns, our mean ± std and the paper's."""
    returns = np.array([episode["return"] for episode in run.evaluation["returns"]])
    mean, std = run.evaluation["mean"], run.evaluation["std"]
    edges, label = _edges(returns), f"{run.name}: tracks"
    axes.hist(returns, edges, color=OURS, alpha=0.75, ec="white", label=label)
    axes.axvline(mean, color=OURS, lw=2, label=f"{run.name}: {mean:.1f} ± {std:.1f}")
    axes.axvspan(mean - std, mean + std, color=OURS, alpha=0.15, lw=0)
    if run.is_reports:
        low, high = PAPER_MEAN - PAPER_STD, PAPER_MEAN + PAPER_STD
        label = f"paper ({ENVIRONMENT}): {PAPER_MEAN} ± {PAPER_STD}"
        axes.axvline(PAPER_MEAN, color=ORIGINAL, lw=2, ls="--", label=label)
        axes.axvspan(low, high, color=ORIGINAL, alpha=0.15, lw=0)
    title = f"Returns over {len(returns)} fresh tracks of {run.environment}"
    axes.set(title=title, xlabel="return of an episode", ylabel="tracks")
    axes.yaxis.get_major_locator().set_params(integer=True)


def _edges(returns: np.ndarray) -> np.ndarray:
    """Edges of bins at round numbers, 50 wide, or 10 where all returns are close together."""
    width = 50 if np.ptp(returns) > 200 else 10
    first, last = np.floor(returns.min() / width), np.floor(returns.max() / width) + 1
    return np.arange(first, last + 1) * width


def _plot_scores(axes: Axes, rows: list[dict], ours: set[str]) -> None:
    """A row for each score, the mean with its standard deviation; our labels are bold."""
    for place, row in enumerate(rows):
        is_ours = row["who"] in ours
        axes.errorbar(
            row["mean_return"], place, xerr=row["std"], fmt="o" if is_ours else "s",
            ms=7 if is_ours else 5, color=OURS if is_ours else "0.25", capsize=3,
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows], fontsize=9)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row["who"] in ours else "normal")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set(title="Scores (mean ± std over episodes)", xlabel="return of an episode")


def _label(row: dict) -> str:
    """Who, the environment if it is not that of the published scores, and the score."""
    environment = "" if row["environment"] == ENVIRONMENT else f"\n({row['environment']})"
    std = "" if row["std"] is None else f" ± {row['std']:.0f}"
    return f"{row['who']}{environment}: {row['mean_return']:.0f}{std}"
