"""Figure 13: M's loss beside baselines that need no M. Figure 8 is in figures_mixture.py."""

from replication.report.curves import Logs, column, plot_losses, with_styles
from replication.report.published import REPORT_RNN_LOSS
from replication.report.run_record import Run, logs_of
from replication.report.style import REPORT, Drawing, make_figure, shared_legend

import numpy as np
from matplotlib.figure import Figure

# What stands beside M in its log: the key, its label, how its line is drawn.
BASELINES = (
    ("baseline_nll", "z' ~ N(z, s)", (0, (1, 1))),
    ("ar1_nll", "AR(1) of each dimension", (0, (3, 1, 1, 1))),
    ("floor_nll", "floor: V's own noise", (0, (8, 2))),
)


def baselines(line: dict) -> str:
    """Sentences on the predictors without M that a line of the log has."""
    text = (
        " Without M: a next z that is normal around the present one, with one fitted spread, has"
        f" {line.get('baseline_nll', np.nan):.3f}. It pays twice for V's own noise."
    )
    if "ar1_nll" in line:
        text += (
            " A first-order autoregression of each dimension does not; it has"
            f" {line['ar1_nll']:.3f}. The entropy of V's noise, {line['floor_nll']:.3f}, is the"
            " least that any predictor can reach."
        )
    return text


def draw_rnn_loss(runs: list[Run]) -> Drawing | None:
    """M's loss in all runs; None if the first has no log of M."""
    if not (log := runs[0].logs["train_rnn"]):
        return None
    last = log[-1]
    caption = (
        "M's loss: the mean negative log-likelihood of one dimension of the next z, in nats. It is"
        " that of a density, so it may be negative, and it depends on the scale of this V's z."
        f" Dotted lines mark the ends of epochs. Ours ends at {last['nll']:.3f} in training and"
        f" {last.get('held_out_nll', np.nan):.3f} held-out.{baselines(last)}"
    )
    settled = REPORT_RNN_LOSS if runs[0].is_reports else None
    if settled:
        caption += (
            f" The report's Figure 13 settles near {REPORT_RNN_LOSS} (the line). The code"
            " it trained with takes exp(logvar) for z's standard deviation, which lowers the floor:"
            " likely the reason. Its text also calls the axis the log of the loss."
        )
    alt = f"Curves of M's loss over training iterations, ending at {last['nll']:.3f}."
    return Drawing(rnn_loss_figure(logs_of(runs, "train_rnn"), settled), caption, alt)


def rnn_loss_figure(logs: Logs, settled: float | None = None) -> Figure:
    """The loss over iterations, the baselines, and where the report's loss settles, if it does."""
    figure, (axes,) = make_figure(8, 4.4)
    plot_losses(axes, logs, "nll", "negative log-likelihood\n(nats per dimension of z)")
    for name, log, style in with_styles(logs):
        for key, label, dashes in BASELINES:
            steps, values = column(log, key)
            if len(steps):
                axes.plot(steps, values, lw=1.4, label=f"{name}: {label}", **style | {"ls": dashes})
    if settled is not None:
        label = f"where the 2021 report settles: {settled:g} (scale: see text)"
        axes.axhline(settled, color=REPORT, lw=1.2, ls="-.", label=label)
    axes.set_title("M: loss")
    shared_legend(figure, axes)
    return figure
