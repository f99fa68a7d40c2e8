"""The drawings of the report page: each function takes data and returns a matplotlib Figure.

No file is read or written here. Colours are the same in every figure: orange is this run, green the
original, blue Wellmer's, black the 2021 report; line styles and markers differ too, for print.
"""

import contextlib
from collections.abc import Iterable, Iterator

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

OURS, ORIGINAL, WELLMER, REPORT = "#D55E00", "#009E73", "#0072B2", "#000000"  # Okabe & Ito
OTHERS = ("#CC79A7", "#56B4E9", "#8C6D00", "#666666")  # runs laid over ours
MARKERS = ("D", "v", "P", "X")  # of those: colours alone do not print
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same bytes on every machine
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "pdf.fonttype": 42,
}
Logs = dict[str, list[dict]]  # the lines of a log for each run, this run first; some are empty
Drawing = tuple[Figure, str, str]  # a figure, its caption, its alternative text

REPORT_BEST, REPORT_HOURS = 273, 188  # report 2.3 and Figure 15: best return, core-hours of C
PAPER_MEAN, PAPER_STD = 906, 21  # paper, table 1
ITERATION = "training iteration (batches)"


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw and save in our style, whatever the user's matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def column(log: list[dict], key: str, x: str = "step") -> tuple[np.ndarray, np.ndarray]:
    """The values of `key` over those of `x`, from the lines that have it."""
    lines = [line for line in log if line.get(key) is not None]
    return np.array([line[x] for line in lines]), np.array([line[key] for line in lines])


def core_hours(log: list[dict]) -> np.ndarray:
    """Hours of computing up to each line: the number of processes may change when a run resumes."""
    seconds = np.diff([line["seconds"] for line in log], prepend=0.0)
    return np.cumsum(seconds * [line.get("processes", 1) for line in log]) / 3600


def epoch_ends(log: list[dict]) -> list[int]:
    """The last step of each epoch, also of the one that the log stops in."""
    return sorted({line["epoch"]: line["step"] for line in log if "epoch" in line}.values())


def make_figure(width: float, height: float, columns: int = 1, **grid) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False, **grid)[0]


def first(logs: Logs) -> tuple[str, list[dict]]:
    """Name and log of the first run that has one."""
    return next((name, log) for name, log in logs.items() if log)


def coloured(logs: Logs) -> Iterable[tuple[str, list[dict], dict]]:
    """Each run's name, its log, and how its lines are drawn; runs without one keep their colour."""
    for index, (name, log) in enumerate(logs.items()):
        if not log:
            continue
        style = {"color": OURS if index == 0 else OTHERS[(index - 1) % len(OTHERS)]}
        if index:
            marker, every = MARKERS[(index - 1) % len(MARKERS)], max(len(log) // 8, 1)
            style |= {"marker": marker, "markevery": (index % every, every), "ms": 5}
            style |= {"mfc": "white"}
        yield name, log, style


def _loss(axes: Axes, logs: Logs, key: str, label: str) -> None:
    """Training (solid) and held-out (dashed) curves of each run, epochs of the first as lines."""
    for name, log, style in coloured(logs):
        axes.plot(*column(log, key), lw=1.6, label=f"{name}: training", **style)
        held_out = column(log, f"held_out_{key}")
        if len(held_out[0]):
            axes.plot(*held_out, lw=1.6, ls="--", label=f"{name}: held-out", **style)
    name, log = first(logs)
    for index, step in enumerate(epoch_ends(log)):
        label_once = {"label": f"{name}: end of an epoch"} if index == 0 else {}
        axes.axvline(step, color="0.45", lw=0.9, ls=":", **label_once)
    axes.set(xlabel=ITERATION, ylabel=label)
    axes.set_xlim(left=0)


def parameters(rows: list[tuple[str, str, str]]) -> Figure:
    """Figure 9: a table of model, our parameters, published parameters."""
    figure, (axes,) = make_figure(6.4, 0.75 + 0.42 * (len(rows) + 1))
    axes.set_axis_off()
    axes.set_title("Parameters per model")
    header = ("model", "ours", "published")
    table = axes.table([header, *rows], cellLoc="right", loc="center", bbox=(0, 0, 1, 1))
    table.auto_set_font_size(False)
    table.set_fontsize(10)
    table.auto_set_column_width(range(3))
    for (row, index), cell in table.get_celld().items():
        cell.set(edgecolor="0.7", facecolor="0.93" if row == 0 else "white")
        if index == 0:
            cell.set_text_props(ha="left")
        if row == 0:
            cell.set_text_props(weight="bold")
    return figure


def vae_terms(logs: Logs, floor: float | None) -> Figure:
    """Figure 10: the two unweighted terms of V's loss; `floor` is the free bits' lower bound."""
    figure, (recon, kl) = make_figure(10, 4, 2)
    _loss(recon, logs, "recon", "squared error of an image\n(sum over 64 × 64 × 3)")
    recon.set(title="V: reconstruction", yscale="log")
    plain_log_ticks(recon)
    _loss(kl, logs, "kl", "KL divergence of an image\n(sum over z, nats)")
    kl.set_title("V: KL divergence")
    if floor is not None:
        kl.axhline(floor, color="black", lw=1, ls="-.", label=f"floor: free bits, {floor:g} nats")
    shared_legend(figure, recon, kl)
    return figure


def vae_loss(logs: Logs, weights: str, reference: float | None) -> Figure:
    """Figure 11: V's total loss; `reference` is where the report's settles, in our weights."""
    figure, (axes,) = make_figure(8, 4.2)
    _loss(axes, logs, "loss", f"total loss of an image\n({weights})")
    axes.set(title="V: total loss", yscale="log")
    plain_log_ticks(axes)
    if reference is not None:
        label = f"where the 2021 report settles: {reference:g} in our weights"
        axes.axhline(reference, color=REPORT, lw=1.2, ls="-.", label=label)
    shared_legend(figure, axes)
    return figure


def plain_log_ticks(axes: Axes) -> None:
    """Write 200 and not 2 x 10^2: these ranges span little more than a decade."""
    for which in ("major", "minor"):
        formatter = "{x:g}" if which == "major" else _first_digits
        getattr(axes.yaxis, f"set_{which}_formatter")(formatter)


def _first_digits(value: float, _position: int | None = None) -> str:
    text = f"{value:g}"
    return text if text.lstrip("0.")[:1] in {"2", "5"} else ""


def rnn_loss(logs: Logs, reference: float) -> Figure:
    """Figure 13: M's negative log-likelihood beside a baseline that needs no M."""
    figure, (axes,) = make_figure(8, 4.4)
    _loss(axes, logs, "nll", "negative log-likelihood\n(nats per dimension of z)")
    for name, log, style in coloured(logs):
        baseline = column(log, "baseline_nll")
        if len(baseline[0]):
            label = f"{name}: without M, z' ~ N(z, s)"
            axes.plot(*baseline, lw=1.6, ls=(0, (1, 1)), label=label, **style)
    label = f"where the 2021 report settles: {reference:g} (scale: see text)"
    axes.axhline(reference, color=REPORT, lw=1.2, ls="-.", label=label)
    axes.set_title("M: loss")
    shared_legend(figure, axes)
    return figure


def controller(logs: Logs, original: dict, wellmer: dict) -> Figure:
    """Figure 14: returns of C over generations, and over hours of computing.

    original, wellmer: the columns of data/reference/*.csv, as float arrays.
    """
    figure, (left, right) = make_figure(10, 5.2, 2, sharey=True)
    hours = original["seconds"] * 64 / 3600  # 64 cores (paper, A.4)
    for axes, x in ((left, original["generation"]), (right, hours)):
        label = "original: mean of the population"
        axes.plot(x, original["population_mean"], color=ORIGINAL, lw=1.6, label=label)
        best = original["best_eval_mean_1024_rollouts"]
        axes.plot(x, best, "^", color=ORIGINAL, ms=3, label="original: evaluations, 1024 rollouts")
    x, mean, std = (wellmer[key] for key in ("generation", "eval_mean_return", "eval_std"))
    left.plot(
        x, mean, color=WELLMER, lw=1.6, ls="--", marker="s", ms=3, label="Wellmer: evaluations"
    )
    left.fill_between(
        x, mean - std, mean + std, color=WELLMER, alpha=0.18, lw=0, label="Wellmer: ± std"
    )
    for name, log, style in coloured(logs):
        _evolution(left, name, log, np.array([line["step"] for line in log]), style)
        _evolution(right, name, log, core_hours(log), style)
    label = f"2021 report: its best return, {REPORT_BEST}, after {REPORT_HOURS} core-hours"
    for axes in (left, right):
        axes.axhline(REPORT_BEST, color=REPORT, lw=1, ls=":")
    right.plot([REPORT_HOURS], [REPORT_BEST], "*", color=REPORT, ms=12, ls="none", label=label)
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


def _evolution(axes: Axes, name: str, log: list[dict], x: np.ndarray, style: dict) -> None:
    """One run's generations: the population's mean, ours with its band, evaluations as dots."""
    means, best, worst = (
        np.array([line[key] for line in log]) for key in ("mean", "best", "worst")
    )
    colour, few = style["color"], {"marker": "." if len(log) < 30 else "", "ms": 4}
    axes.plot(x, means, lw=1.8, label=f"{name}: mean of the population", **few | style)
    if colour == OURS:
        label = f"{name}: worst to best candidate"
        axes.fill_between(x, worst, best, color=colour, alpha=0.22, lw=0, label=label)
    dots = np.array(["eval_mean" in line for line in log])
    if dots.any():
        lines = [line for line in log if "eval_mean" in line]
        axes.errorbar(
            x[dots], [line["eval_mean"] for line in lines], [line["eval_std"] for line in lines],
            fmt=style.get("marker", "o"), ms=6, color=colour, mec="black", mew=0.8, ecolor=colour,
            capsize=2, label=f"{name}: evaluations on fresh tracks ± std",
        )  # fmt: skip


def shared_legend(figure: Figure, *panels: Axes, columns: int | None = None) -> None:
    """One legend below all panels, where it hides nothing; no label twice, a run's together.

    It has fewer columns where they would not fit: names of runs can be long.
    """
    entries = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    owners = [label.partition(":")[0] for label in entries]
    labels = sorted(entries, key=lambda label: owners.index(label.partition(":")[0]))
    columns = columns or (3 if figure.get_figwidth() > 9 else 2)
    handles = [entries[label] for label in labels]
    for count in range(columns, 0, -1):
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=count)
        if count == 1 or legend.get_window_extent().width < figure.bbox.width:
            return
        legend.remove()


def times(rows: list[tuple[str, tuple | None, tuple | None]]) -> Figure:
    """Figure 15: a row: label, ours, the report's, each None or (core-hours, its text)."""
    figure, (axes,) = make_figure(9.5, 1.3 + 0.55 * len(rows))
    for index, (colour, marker, name) in enumerate(
        ((OURS, "o", "ours"), (REPORT, "D", "2021 report"))
    ):
        places = [y for y, row in enumerate(rows) if row[1 + index]]
        spent = [rows[y][1 + index][0] for y in places]
        shift = 0.16 if index else -0.16
        y = [place + shift for place in places]
        axes.plot(spent, y, marker, color=colour, ms=7, ls="none", label=name)
        for place, hours in zip(places, spent, strict=True):
            axes.annotate(
                rows[place][1 + index][1], (hours, place + shift), (8, 0),
                textcoords="offset points", va="center", fontsize=8.5,
            )  # fmt: skip
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set(title="Time of each stage", xlabel="core-hours (processes × hours)", xscale="log")
    axes.xaxis.set_major_formatter("{x:,g}")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.4)  # room for the text at the right
    shared_legend(figure, axes)
    return figure


def duration(seconds: float) -> str:
    """47 s, 3 min 20 s, 2 h 05 min, 47 h."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"


def scores(name: str, evaluation: dict, rows: list[dict], ours: set[str]) -> Figure:
    """The returns of one agent on fresh tracks, and every score of the table beside them.

    rows: the table of scores, numbers or None; ours: those of its `who` that are drawn as ours.
    """
    figure, (left, right) = make_figure(10, 1.2 + 0.33 * max(len(rows), 12), 2)
    returns = np.array([episode["return"] for episode in evaluation["returns"]])
    mean, std = evaluation["mean"], evaluation["std"]
    left.hist(returns, _edges(returns), color=OURS, alpha=0.75, ec="white", label=f"{name}: tracks")
    left.axvline(mean, color=OURS, lw=2, label=f"{name}: {mean:.1f} ± {std:.1f}")
    left.axvspan(mean - std, mean + std, color=OURS, alpha=0.15, lw=0)
    label = f"paper: {PAPER_MEAN} ± {PAPER_STD}"
    left.axvline(PAPER_MEAN, color=ORIGINAL, lw=2, ls="--", label=label)
    left.axvspan(PAPER_MEAN - PAPER_STD, PAPER_MEAN + PAPER_STD, color=ORIGINAL, alpha=0.15, lw=0)
    left.set(
        title=f"Returns over {len(returns)} fresh tracks",
        xlabel="return of an episode",
        ylabel="tracks",
    )
    left.yaxis.get_major_locator().set_params(integer=True)
    shared_legend(figure, left)
    for place, row in enumerate(rows):
        mine = row["who"] in ours
        right.errorbar(
            row["mean_return"], place, xerr=row["std"], fmt="o" if mine else "s",
            ms=7 if mine else 5, color=OURS if mine else "0.25", capsize=3,
        )  # fmt: skip
    right.set_yticks(range(len(rows)), [_score_label(row) for row in rows], fontsize=9)
    for label, row in zip(right.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row["who"] in ours else "normal")
    right.set_ylim(len(rows) - 0.5, -0.5)
    right.set(title="Scores (mean ± std over episodes)", xlabel="return of an episode")
    return figure


def _edges(returns: np.ndarray) -> np.ndarray:
    """Bins of 50, or of 10 where all returns are close together, at round numbers."""
    width = 50 if np.ptp(returns) > 200 else 10
    first, last = np.floor(returns.min() / width), np.floor(returns.max() / width) + 1
    return np.arange(first, last + 1) * width


def _score_label(row: dict) -> str:
    std = "" if row["std"] is None else f" ± {row['std']:.0f}"
    return f"{row['who']}: {row['mean_return']:.0f}{std}"
