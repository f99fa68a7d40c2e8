"""Figure 13 holds M's log and its baseline."""

import dataclasses

from replication.report.figures_m import draw_rnn_loss

from saved_run import CONFIG, RNN_LOG, curves, points


def test_rnn_loss_holds_the_log_and_the_baseline(run):
    (axes,) = draw_rnn_loss([run])[0].axes
    drawn = curves(axes)
    assert drawn["mine: training"] == points(RNN_LOG, "nll")
    assert drawn["mine: held-out"] == points(RNN_LOG, "held_out_nll")
    assert drawn["mine: z' ~ N(z, s)"] == points(RNN_LOG, "baseline_nll")


def test_another_run_is_laid_over(run):
    config = dataclasses.replace(CONFIG, run="other")
    other = dataclasses.replace(run, config=config, logs={"train_rnn": RNN_LOG[:5]})
    (axes,) = draw_rnn_loss([run, other])[0].axes
    assert curves(axes)["mine: training"] == points(RNN_LOG, "nll")
    assert curves(axes)["other: training"] == points(RNN_LOG[:5], "nll")
