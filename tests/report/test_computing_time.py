"""Core-hours by hand, and durations as text."""

import re

from replication.report.computing_time import core_hours, duration

import pytest


def test_core_hours_follow_the_number_of_processes():
    log = [{"seconds": 3600, "processes": 2}, {"seconds": 7200, "processes": 16}]
    assert core_hours(log).tolist() == [2, 18]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (169200, "47 h")],
)
def test_duration(seconds, text):
    assert re.fullmatch(text, duration(seconds))
