"""Figure 3 shows the frames that were saved, each in its place."""

import dataclasses

from replication.report.figures_dream import PANELS, draw_rollout

import numpy as np
from saved_run import shown_images


def test_a_rollout_its_reconstruction_and_the_dream_stand_in_rows(run):
    figure, caption, alt = draw_rollout([run])
    rows = np.concatenate([run.rollout[name] for name in PANELS])
    np.testing.assert_array_equal(shown_images(figure), rows)
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == list(PANELS)
    assert [axes.get_xlabel() for axes in figure.axes[6:]] == ["0.00", "0.50", "1.98"]
    assert "temperature 0.7" in caption and "0.00, 0.50, 1.98" in alt


def test_the_figure_is_of_the_runs_game(run):
    doom = dataclasses.replace(run, config=dataclasses.replace(run.config, task="take_cover"))
    for other, second, is_reports in ((run, 50, True), (doom, 35, False)):
        figure, caption, _ = draw_rollout([other])
        assert figure.get_supxlabel() == f"time (seconds; {second} frames each)"
        assert ("The report's Figure 3" in caption) == is_reports


def test_what_was_not_saved_is_not_drawn(run):
    assert draw_rollout([dataclasses.replace(run, rollout={})]) is None
    assert run.command("dream") == "python replication/dream.py --run mine"
