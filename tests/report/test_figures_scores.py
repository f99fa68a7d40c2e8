"""The chart of scores holds every return and every row of the table of scores."""

import dataclasses

from replication.report.figures_scores import draw_scores
from replication.report.score_table import score_table

import numpy as np
import pytest
from saved_run import RETURNS, curves


def test_histogram_counts_every_return_of_the_largest_evaluation(run):
    left, right = draw_scores([run])[0].axes
    (bars,) = left.containers
    counts = {bar.get_x(): bar.get_height() for bar in bars}
    assert counts == {
        first: sum(first <= value < first + 50 for value in RETURNS)
        for first in range(150, 450, 50)
    }
    mean, std = np.mean(RETURNS), np.std(RETURNS)
    assert curves(left)[f"mine: {mean:.1f} ± {std:.1f}"][0][0] == mean
    labels = [label.get_text() for label in right.get_yticklabels()]
    assert labels[6] == "World Models, full: 906 ± 21" and labels[-1].startswith(
        "Ours, run mine\n(CarRacing-v3): "
    )


@pytest.mark.parametrize(
    ("task", "environment"),
    [("car_racing_v3", "CarRacing-v3"), ("car_racing_v0", "CarRacing-v0")],
)
def test_our_rows_name_the_environment_of_the_runs_task(run, task, environment):
    config = dataclasses.replace(run.config, task=task)
    *published, ours = score_table([dataclasses.replace(run, config=config)])
    assert ours["environment"] == environment
    assert {row["environment"] for row in published} == {"CarRacing-v0"}
