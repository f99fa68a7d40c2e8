"""Figures 9 and 15: the parameters of a run's models, and the time that its stages took."""

from typing import NamedTuple

from replication.report.computing_time import TimeSpent, duration
from replication.report.published import DOOM, MODELS, PARAMETERS
from replication.report.run_record import Run
from replication.report.stage_rows import StageRow, stage_rows
from replication.report.style import OURS, REPORT, Drawing, make_figure, shared_legend

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Figure 9 ---------------------------------------------------------------------------------------


def draw_parameters(runs: list[Run]) -> Drawing | None:
    """The first run's parameters; None if it has no trained model."""
    run = runs[0]
    counts = [run.records[run.stage_of(model.stage)].get("parameters") for model in MODELS]
    if not any(counts):
        return None
    published = PARAMETERS.get(run.task.published, {})
    rows = [
        (
            model.name,
            f"{count:,}" if count else "not trained yet",
            f"{published[model.name]:,}" if published else "none",
        )
        for model, count in zip(MODELS, counts, strict=True)
    ]
    caption = (
        "The trained parameters of each model, counted from this run's weights"
        f"{_published_by(run)}. This run's C is in mode"
        f" {run.settings.get('controller.mode', 'z_h')}{_papers_c(run)}."
    )
    alt = "; ".join(f"{model}: ours {ours}, published {theirs}" for model, ours, theirs in rows)
    return Drawing(parameters_figure(rows), caption, alt)


def _published_by(run: Run) -> str:
    if run.is_reports:
        return ", beside the report's Figure 9, which has the paper's numbers"
    return ", beside the paper's" if run.task.published else ""


def _papers_c(run: Run) -> str:
    if run.is_reports:
        return "; 867 is mode z_h, with 288 inputs and a bias for each of 3 actions"
    if run.task.published == DOOM:
        return "; 1,088 is mode z_c_h, with 1,088 inputs and no bias for the one action"
    return ""


def parameters_figure(rows: list[tuple[str, str, str]]) -> Figure:
    """A table of model, our parameters, published parameters."""
    figure, (axes,) = make_figure(6.4, 0.75 + 0.42 * (len(rows) + 1))
    axes.set_axis_off()
    axes.set_title("Parameters per model")
    header = ("model", "ours", "published")
    table = axes.table([header, *rows], cellLoc="right", loc="center", bbox=(0, 0, 1, 1))
    table.auto_set_font_size(False)
    table.set_fontsize(10)
    table.auto_set_column_width(range(3))
    for (row, column), cell in table.get_celld().items():
        cell.set(edgecolor="0.7", facecolor="0.93" if row == 0 else "white")
        if column == 0:
            cell.set_text_props(ha="left")
        if row == 0:
            cell.set_text_props(weight="bold")
    return figure


# Figure 15 --------------------------------------------------------------------------------------


class Cost(NamedTuple):
    """The computing that a stage took."""

    core_hours: float
    text: str  # beside its marker


class StageCosts(NamedTuple):
    """A row of figure 15."""

    label: str
    ours: Cost | None
    report: Cost | None


BESIDE_THE_REPORT = (
    ", beside the report's Figure 15: V 60 h and M 10 h on one worker, C 47 h on 4 workers. The"
    " report's total of 258 hours counts C's hours four times, so it is a total of core-hours; one"
    " after the other its stages took 117 h. It trained V and M on a GPU and counts that as one"
    " worker; here each core that V and M used counts."
)


def draw_times(runs: list[Run]) -> Drawing | None:
    """The times of the first run's stages; None if none has run."""
    run, stages = runs[0], stage_rows(runs[0])
    rows = [row for row in _stage_costs(run, stages) if row.ours or row.report]
    if not any(row.ours for row in rows):
        return None
    alt = "; ".join(f"{row.label}: {row.ours.text}" for row in rows if row.ours)
    caption = "Time and core-hours of each stage that has run, on a logarithmic axis"
    caption += _where_earlier_ones_stand(stages)
    caption += BESIDE_THE_REPORT if run.is_reports else "; each core that V and M used counts."
    return Drawing(times_figure([*rows, _sum_of(rows)]), caption, alt)


def _stage_costs(run: Run, stages: list[StageRow]) -> list[StageCosts]:
    """Our cost of each stage, and the report's of those that it trained."""
    report = {
        run.stage_of(model.stage): _cost(TimeSpent(model.hours * 3600, model.workers))
        for model in MODELS
        if run.is_reports
    }
    return [StageCosts(row.label, _cost(row.spent), report.get(row.label)) for row in stages]


def _where_earlier_ones_stand(stages: list[StageRow]) -> str:
    if not (names := list(dict.fromkeys(row.run for row in stages if row.run))):
        return ""
    return f"; the stages of {' and '.join(names)}, which C goes back to, come first, C's own last"


def _cost(spent: TimeSpent | None) -> Cost | None:
    if spent is None:
        return None
    time = f"{duration(spent.seconds)} × {spent.processes:g}"
    return Cost(spent.core_hours, f"{time} = {spent.core_hours:,.3g} core-hours")


def _sum_of(rows: list[StageCosts]) -> StageCosts:
    ours = sum(row.ours.core_hours for row in rows if row.ours)
    report = sum(row.report.core_hours for row in rows if row.report)
    costs = [Cost(hours, f"{hours:,.3g} core-hours") for hours in (ours, report)]
    return StageCosts("together", *costs)


def times_figure(rows: list[StageCosts]) -> Figure:
    """A row for each stage: our core-hours, and the report's below them."""
    figure, (axes,) = make_figure(9.5, 1.3 + 0.55 * len(rows))
    _plot_costs(axes, [row.ours for row in rows], -0.16, {"color": OURS, "marker": "o"}, "ours")
    style = {"color": REPORT, "marker": "D"}
    if any(row.report for row in rows[:-1]):
        _plot_costs(axes, [row.report for row in rows], 0.16, style, "2021 report")
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set(title="Time of each stage", xlabel="core-hours (processes × hours)", xscale="log")
    axes.xaxis.set_major_formatter("{x:,g}")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.4)  # room for the text at the right
    shared_legend(figure, axes)
    return figure


def _plot_costs(
    axes: Axes, costs: list[Cost | None], shift: float, style: dict, label: str
) -> None:
    """A marker with its text in each row that has a cost, `shift` rows below the row's middle."""
    shown = [(row + shift, cost) for row, cost in enumerate(costs) if cost]
    hours = [cost.core_hours for _, cost in shown]
    axes.plot(hours, [y for y, _ in shown], ms=7, ls="none", label=label, **style)
    for y, cost in shown:
        axes.annotate(
            cost.text, (cost.core_hours, y), (8, 0),
            textcoords="offset points", va="center", fontsize=8.5,
        )  # fmt: skip
