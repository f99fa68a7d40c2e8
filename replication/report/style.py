"""The look that all figures share: colours, markers, fonts, legends, axes.

Orange is the run that the page is about, green the original, blue Wellmer's log, black the 2021
report. Line styles and markers differ too, so that the figures can be read in black and white.
"""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

OURS, ORIGINAL, WELLMER, REPORT = "#D55E00", "#009E73", "#0072B2", "#000000"  # Okabe & Ito
OTHERS = ("#CC79A7", "#56B4E9", "#8C6D00", "#666666")  # the runs that ours is compared with
MARKERS = ("D", "v", "P", "X")  # one for each of OTHERS
SETTINGS = {
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


class Drawing(NamedTuple):
    """A figure and the words that go with it on the page."""

    figure: Figure
    caption: str  # what the figure shows, and what the report or the paper has
    alt: str  # the alternative text, for readers who cannot see the figure


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw and save with SETTINGS and matplotlib's defaults, not with the user's matplotlibrc."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def make_figure(width: float, height: float, columns: int = 1, **grid) -> tuple[Figure, np.ndarray]:
    """A figure of so many inches, and its panels, which stand in one row."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False, **grid)[0]


def shared_legend(figure: Figure, *panels: Axes, columns: int | None = None) -> None:
    """Put one legend for all panels below them, each label once, the labels of a run together.

    Names of runs can be long: the legend gets as many of the columns as fit into the figure.
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


def plain_log_ticks(axes: Axes) -> None:
    """Label a logarithmic y axis of little more than a decade with 200, not with 2 x 10^2."""
    for which in ("major", "minor"):
        formatter = "{x:g}" if which == "major" else _text_of_twos_and_fives
        getattr(axes.yaxis, f"set_{which}_formatter")(formatter)


def _text_of_twos_and_fives(value: float, _position: int | None = None) -> str:
    text = f"{value:g}"
    return text if text.lstrip("0.")[:1] in {"2", "5"} else ""
