"""Curves of several runs: they differ in more than colour; running over the lines of a log."""

import dataclasses

from replication.report.curves import column, epoch_ends, with_styles
from replication.report.figures_c import draw_controller
from replication.report.figures_m import draw_rnn_loss
from replication.report.figures_v import draw_vae_loss, draw_vae_terms

import pytest
from saved_run import CONFIG, VAE_LOG


def test_a_column_is_of_the_lines_that_have_it():
    log = [{"step": 1, "loss": 3.0}, {"step": 2}, {"step": 3, "loss": None}, {"step": 4, "loss": 0}]
    steps, values = column(log, "loss")
    assert (steps.tolist(), values.tolist()) == ([1, 4], [3, 0])


def test_the_last_epoch_ends_where_the_log_ends():
    assert epoch_ends(VAE_LOG[:25]) == [200, 400, 500]


def test_a_run_keeps_its_colour_where_others_have_no_log():
    styles = {name: style for name, _, style in with_styles({"a": VAE_LOG, "b": [], "c": VAE_LOG})}
    expected = {name: style for name, _, style in with_styles(dict.fromkeys("abc", VAE_LOG))}
    assert styles == {name: expected[name] for name in "ac"}
    assert len({style["color"] for style in expected.values()}) == 3


@pytest.mark.parametrize(
    ("draw", "stage", "count"),
    [
        (draw_vae_terms, "train_vae", 4),
        (draw_vae_loss, "train_vae", 2),
        (draw_rnn_loss, "train_rnn", 3),
        (draw_controller, "train_controller", 2),
    ],
)
def test_two_runs_differ_in_more_than_colour(run, draw, stage, count):
    config = dataclasses.replace(CONFIG, run="other")
    figure = draw([run, dataclasses.replace(run, config=config)])[0]
    lines = [line for axes in figure.axes for line in axes.lines]
    looks = {
        name: {
            (line.get_label().partition(": ")[2], line.get_linestyle(), line.get_marker())
            for line in lines
            if str(line.get_label()).startswith((f"{name}:", f"{name} ("))
            and "epoch" not in line.get_label()
        }
        for name in ("mine", "other")
    }
    assert len(looks["mine"]) == len(looks["other"]) and len(looks["other"]) >= count // 2
    assert not looks["mine"] & looks["other"]
