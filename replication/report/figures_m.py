"""Figure 13: M's loss beside a baseline that needs no M. Figure 8 is in figures_mixture.py."""

from replication.report.curves import Logs, column, plot_losses, with_styles
from replication.report.published import REPORT_RNN_LOSS
from replication.report.run_record import Run, logs_of
from replication.report.style import REPORT, Drawing, make_figure, shared_legend

import numpy as np
from matplotlib.figure import Figure


def draw_rnn_loss(runs: list[Run]) -> Drawing | None:
    """M's loss in all runs; None if the first has no log of M."""
    if not (log := runs[0].logs["train_rnn"]):
        return None
    last = log[-1]
    caption = (
        "M's loss: the mean negative log-likelihood of one dimension of the next z, in nats. It is"
        " that of a density, so it may be negative, and it depends on the scale of this V's z."
        f" Dotted lines mark the ends of epochs. Ours ends at {last['nll']:.3f} in training and"
        f" {last.get('held_out_nll', np.nan):.3f} held-out. The baseline without M takes the next z"
        " to be normal around the present one, with one fitted spread; it has"
        f" {last.get('baseline_nll', np.nan):.3f}. The report's Figure 13 settles near"
        f" {REPORT_RNN_LOSS} (the line). Its text calls the axis the log of the loss, so its scale"
        " may be another one."
    )
    alt = f"Curves of M's loss over training iterations, ending at {last['nll']:.3f}."
    return Drawing(rnn_loss_figure(logs_of(runs, "train_rnn")), caption, alt)


def rnn_loss_figure(logs: Logs) -> Figure:
    """The loss over iterations, the baseline, and where the report's loss settles."""
    figure, (axes,) = make_figure(8, 4.4)
    plot_losses(axes, logs, "nll", "negative log-likelihood\n(nats per dimension of z)")
    for name, log, style in with_styles(logs):
        baseline = column(log, "baseline_nll")
        if len(baseline[0]):
            label = f"{name}: without M, z' ~ N(z, s)"
            axes.plot(*baseline, lw=1.6, ls=(0, (1, 1)), label=label, **style)
    label = f"where the 2021 report settles: {REPORT_RNN_LOSS:g} (scale: see text)"
    axes.axhline(REPORT_RNN_LOSS, color=REPORT, lw=1.2, ls="-.", label=label)
    axes.set_title("M: loss")
    shared_legend(figure, axes)
    return figure
