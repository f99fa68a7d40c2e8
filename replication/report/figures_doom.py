"""Take Cover's figures: the gate, dream against game, the table of temperatures, the returns."""

from replication.report import published
from replication.report.curves import with_styles
from replication.report.run_record import Run, first_with_log, logs_of
from replication.report.style import ORIGINAL, OURS, Drawing, make_figure, shared_legend

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

NAMES = {"original": "recordings'"}  # of policies, where the task's says little
PLACES = {"dream": "in the dream", "real": "in the game"}


# The gate ---------------------------------------------------------------------------------------


def draw_gate(runs: list[Run]) -> Drawing | None:
    """Blind policies in dream and game, and M's chance of an end before it comes."""
    if not (gate := runs[0].gate):
        return None
    ends, wrong = gate["ends"], gate["wrong"]
    verdict = f"Not fit: {'; '.join(wrong)}." if wrong else "The dream is fit by all of these."
    caption = (
        "Whether C can learn in M's dream, asked before it does. Left: how long policies that do"
        f" not look live in the game and in the dream at temperature {gate['temperature']:g}, on"
        " the same seeds and actions (mean, and its standard error). Right: the chance that M gives"
        " to an end, over the steps before it, mean over the held-out episodes that ended. At the"
        f" cut of one half M foresees {ends['found']} of {ends['deaths']} ends, with"
        f" {ends['alarms']} alarms in {ends['steps']:,} other steps, {ends['early']} of them early;"
        f" the end's loss is {ends['loss']:.4f} nats a step. {verdict}"
    )
    alt = f"Lives of {len(gate['lives'])} policies in game and dream; chance of an end over steps."
    return Drawing(gate_figure(gate), caption, alt)


def gate_figure(gate: dict) -> Figure:
    figure, (left, right) = make_figure(10, 4.2, 2)
    names = list(gate["lives"])
    for shift, world, colour, marker in ((-0.1, "game", "0.25", "s"), (0.1, "dream", OURS, "o")):
        returns = [np.array(gate["lives"][name][world]) for name in names]
        means = [values.mean() for values in returns]
        errors = [values.std() / len(values) ** 0.5 for values in returns]
        style = {"fmt": marker, "color": colour, "capsize": 3, "label": f"in the {world}"}
        left.errorbar(means, np.arange(len(names)) + shift, xerr=errors, **style)
    left.set_yticks(range(len(names)), [NAMES.get(name, name) for name in names])
    left.set_ylim(len(names) - 0.5, -0.5)
    left.set(title="Policies that do not look", xlabel="return of an episode", xlim=(0, None))
    chances = gate["ends"]["approach"]
    right.plot(np.arange(1 - len(chances), 1), chances, color=OURS, lw=1.8)
    right.axhline(0.5, color="black", lw=1, ls=":", label="from here on a dream is over")
    right.set(title="M foresees an end", xlabel="step, the last one is 0", ylabel="chance")
    right.set_ylim(0, 1)
    shared_legend(figure, left, right)
    return figure


# Dream against game -----------------------------------------------------------------------------


def draw_dream_and_game(runs: list[Run]) -> Drawing | None:
    """C's returns over generations, beside the original's in its dream, and in the game.

    Of the runs that have such a search: the page's own may have had rounds instead.
    """
    run = first_with_log(runs, "train_controller")
    if not run:
        return None
    log, place = run.logs["train_controller"], PLACES[run.world]
    games = [line for line in log if "game_mean" in line]
    beside = (
        f" At the last evaluation the game gives {games[-1]['game_mean']:.0f} ±"
        f" {games[-1]['game_std']:.0f} over {games[-1]['game_episodes']:.0f} episodes; no choice"
        " depends on games."
        if games
        else ""
    )
    caption = (
        f"C's returns {place} over generations of CMA-ES: the mean of the population, and the"
        " evaluations of the search's mean, the best of which is chosen. Green is the original's"
        f" training log, in its own dream.{beside} The dashed line is what counts as solved in the"
        f" game, {published.SOLVED}."
    )
    alt = f"Curves of returns in dream and game; the population's mean is {log[-1]['mean']:.0f}."
    return Drawing(dream_and_game_figure(runs), caption, alt)


def dream_and_game_figure(runs: list[Run]) -> Figure:
    logs = logs_of(runs, "train_controller")
    places = {run.name: (PLACES[run.world], PLACES[run.judge]) for run in runs}
    figure, (axes,) = make_figure(9, 5)
    original = published.doom_training()
    x = original["generation"]
    label = "original: mean of the population, in its dream"
    axes.plot(x, original["population_mean"], color=ORIGINAL, lw=1.4, label=label)
    label = "original: evaluations, 1024 dreams"
    evaluations = original["dream_eval_mean_1024_rollouts"]
    axes.plot(x, evaluations, "^", color=ORIGINAL, ms=3, label=label)
    for name, log, style in with_styles(logs):
        steps, means = ([line[key] for line in log] for key in ("step", "mean"))
        world, judge = places[name]
        label = f"{name}: mean of the population, {world}"
        axes.plot(steps, means, lw=1.6, label=label, **style | {"marker": ""})
        _plot_evaluations(axes, log, "eval", "o", f"{name}: evaluations {judge} ± std", style)
        _plot_evaluations(axes, log, "game", "s", f"{name}: in the game, not used ± std", style)
    axes.axhline(published.SOLVED, color="black", lw=1, ls="--", label="solved, in the game")
    axes.set_xscale("symlog", linthresh=10)
    axes.set_xlim(0, 2500)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(title="C: dream and game", xlabel="generation", ylabel="return of an episode")
    shared_legend(figure, axes)
    return figure


def _plot_evaluations(
    axes: Axes, log: list[dict], kind: str, marker: str, label: str, style: dict
) -> None:
    lines = [line for line in log if f"{kind}_mean" in line]
    if lines:
        axes.errorbar(
            [line["step"] for line in lines], [line[f"{kind}_mean"] for line in lines],
            [line[f"{kind}_std"] for line in lines], fmt=marker, ms=6, color=style["color"],
            mfc=style["color"] if kind == "eval" else "white", capsize=2, label=label,
        )  # fmt: skip


# Temperatures -----------------------------------------------------------------------------------


def draw_temperatures(runs: list[Run]) -> Drawing | None:
    """The paper's table: the score in the dream and in the game, by temperature."""
    ours = [score for run in runs if (score := _temperature(run))]
    if not ours:
        return None
    caption = (
        "Each search in the dream of one temperature: what its C reaches there, and in the game"
        " (mean ± standard deviation over episodes), beside the paper's Table 2. There what C"
        " learns in a cold dream is of no use in the game."
    )
    text = ", ".join(f"{row['temperature']:g}: {row['dream_mean']:.0f}" for row in ours)
    alt = f"Scores in dream and game by temperature; ours in the dream {text}."
    return Drawing(temperature_figure(ours), caption, alt)


def _temperature(run: Run) -> dict | None:
    """A row of the table, as the paper's; None for a run without a score in either world."""
    lines = [line for line in run.logs["train_controller"] if "eval_mean" in line]
    if not lines or not run.evaluation or run.settings.get("controller.judge") != "dream":
        return None
    best = max(lines, key=lambda line: line["eval_mean"])
    return {
        "temperature": run.settings["dream.temperature"],
        "dream_mean": best["eval_mean"],
        "dream_std": best["eval_std"],
        "real_mean": run.evaluation["mean"],
        "real_std": run.evaluation["std"],
    }


def temperature_figure(ours: list[dict]) -> Figure:
    figure, panels = make_figure(10, 4.2, 2, sharey=True)
    for axes, world, title in ((panels[0], "dream", "dream"), (panels[1], "real", "game")):
        _plot_table(axes, world, published.doom_temperatures(), -0.012, "paper, Table 2: ± std")
        _plot_table(axes, world, ours, 0.012, "ours: ± std")
        axes.set(title=f"C in the {title}", xlabel="temperature of the dream")
    panels[0].set_ylabel("return of an episode")
    panels[1].axhline(published.SOLVED, color="black", lw=1, ls="--", label="solved")
    shared_legend(figure, *panels)
    return figure


def _plot_table(axes: Axes, world: str, table: list[dict], shift: float, label: str) -> None:
    """A point for each temperature, a little beside it; what is ours is a filled circle."""
    colour, marker = (OURS, "o") if label.startswith("ours") else (ORIGINAL, "s")
    axes.errorbar(
        [row["temperature"] + shift for row in table], [row[f"{world}_mean"] for row in table],
        [row[f"{world}_std"] for row in table], fmt=marker, color=colour, capsize=3, label=label,
    )  # fmt: skip


# Returns ----------------------------------------------------------------------------------------


def draw_returns(runs: list[Run]) -> Drawing | None:
    """The agent's returns in the game, beside policies that do not look (paper, Figure 29)."""
    run, evaluation = runs[0], runs[0].evaluation
    if not evaluation:
        return None
    score = f"{evaluation['mean']:.1f} ± {evaluation['std']:.1f}"
    blind = "; ".join(
        f"{NAMES.get(name, name)} {found['mean']:.1f} ± {found['std']:.1f}"
        for name, found in evaluation.get("controls", {}).items()
    )
    mean, std = published.DOOM_MEAN, published.DOOM_STD
    caption = (
        f"The run's agent over {evaluation['episodes']} episodes of {run.environment}, with seeds"
        f" that no training and no choice used: {score}, from {evaluation['min']:.0f} to"
        f" {evaluation['max']:.0f}. On the same seeds policies that do not look have: {blind}. The"
        f" paper's agent has {mean} ± {std} over 100 episodes, and {published.SOLVED} counts as"
        " solved."
    )
    return Drawing(returns_figure(run), caption, f"Histogram of returns, {score}.")


def returns_figure(run: Run) -> Figure:
    figure, (axes,) = make_figure(9, 4.4)
    returns = np.array([episode["return"] for episode in run.evaluation["returns"]])
    edges = np.arange(0, max(returns.max(), published.DOOM_MEAN) + 101, 100)
    axes.hist(returns, edges, color=OURS, alpha=0.75, ec="white", label=f"{run.name}: episodes")
    mean, std = run.evaluation["mean"], run.evaluation["std"]
    axes.axvline(mean, color=OURS, lw=2, label=f"{run.name}: {mean:.1f} ± {std:.1f}")
    label = f"paper: {published.DOOM_MEAN} ± {published.DOOM_STD}"
    axes.axvline(published.DOOM_MEAN, color=ORIGINAL, lw=2, ls="--", label=label)
    for place, (name, found) in enumerate(run.evaluation.get("controls", {}).items()):
        label = f"{NAMES.get(name, name)}, blind: {found['mean']:.0f}"
        axes.axvline(found["mean"], color="0.3", lw=1.2, ls=(0, (1 + place, 1)), label=label)
    axes.set(title=f"Returns in {run.environment}", xlabel="return of an episode")
    axes.set_ylabel("episodes")
    shared_legend(figure, axes)
    return figure
