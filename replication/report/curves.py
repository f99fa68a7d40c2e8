"""Curves over the lines of a log: the colour of each run, losses in training and held out."""

from collections.abc import Iterable

from replication.report.style import MARKERS, OTHERS, OURS

import numpy as np
from matplotlib.axes import Axes

Logs = dict[str, list[dict]]  # log by name of a run, the page's own first; a log may be empty
ITERATION = "training iteration (batches)"


def column(log: list[dict], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of the lines that have `key`: both (lines,)."""
    lines = [line for line in log if line.get(key) is not None]
    return np.array([line["step"] for line in lines]), np.array([line[key] for line in lines])


def epoch_ends(log: list[dict]) -> list[int]:
    """The last logged step of each epoch, also of one that is not complete."""
    return sorted({line["epoch"]: line["step"] for line in log if "epoch" in line}.values())


def first_log(logs: Logs) -> tuple[str, list[dict]]:
    """Name and log of the first run that has one."""
    return next((name, log) for name, log in logs.items() if log)


def with_styles(logs: Logs) -> Iterable[tuple[str, list[dict], dict]]:
    """Name, log and matplotlib's line properties of each run that has a log.

    A run has the same colour in every figure, whether or not the others have a log there.
    """
    for index, (name, log) in enumerate(logs.items()):
        if log:
            yield name, log, _line_style(index, len(log))


def _line_style(index: int, lines: int) -> dict:
    """The page's own run is a plain orange line, all others have about eight hollow markers."""
    if index == 0:
        return {"color": OURS}
    place, every = (index - 1) % len(OTHERS), max(lines // 8, 1)
    marks = {"marker": MARKERS[place], "markevery": (index % every, every), "ms": 5, "mfc": "white"}
    return {"color": OTHERS[place]} | marks


def plot_losses(axes: Axes, logs: Logs, key: str, label: str) -> None:
    """The loss `key` of each run: in training solid, held out dashed (where it was measured).

    Vertical lines mark the ends of the first run's epochs. `label` is the y axis's.
    """
    for name, log, style in with_styles(logs):
        axes.plot(*column(log, key), lw=1.6, label=f"{name}: training", **style)
        held_out = column(log, f"held_out_{key}")
        if len(held_out[0]):
            axes.plot(*held_out, lw=1.6, ls="--", label=f"{name}: held-out", **style)
    name, log = first_log(logs)
    for index, step in enumerate(epoch_ends(log)):
        label_once = {"label": f"{name}: end of an epoch"} if index == 0 else {}
        axes.axvline(step, color="0.45", lw=0.9, ls=":", **label_once)
    axes.set(xlabel=ITERATION, ylabel=label)
    axes.set_xlim(left=0)
