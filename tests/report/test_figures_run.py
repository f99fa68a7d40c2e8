"""Figures 9 and 15: parameters and times, beside the report's."""

from replication.report.figures_run import draw_parameters, draw_times

import pytest
from saved_run import curves


def test_parameters_are_those_of_the_weights_beside_the_published(run):
    (axes,) = draw_parameters([run])[0].axes
    cells = axes.tables[0].get_celld()
    rows = [[cells[row, column].get_text().get_text() for column in range(3)] for row in range(4)]
    assert rows[1:] == [
        ["V", "4,348,547", "4,348,547"],
        ["M", "422,368", "422,368"],
        ["C", "867", "867"],
    ]


def test_times_of_each_stage_beside_the_report(run):
    (axes,) = draw_times([run])[0].axes
    drawn = curves(axes)
    ours = [61 * 2, 90, 90, 90, 180 * 2, 90 * 2, 90, 90]  # seconds x processes
    expected = [seconds / 3600 for seconds in [*ours, sum(ours)]]
    assert [x for x, _ in drawn["ours"]] == pytest.approx(expected)
    assert [x for x, _ in drawn["2021 report"]] == [60, 10, 188, 258]
    assert "3 min 00 s × 2 = 0.1 core-hours" in [text.get_text() for text in axes.texts]
