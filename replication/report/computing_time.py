"""How long a stage took: its core-hours, and durations as text."""

from typing import NamedTuple

import numpy as np


class TimeSpent(NamedTuple):
    """The time of a stage."""

    seconds: float  # by the clock
    processes: float  # that worked meanwhile, on average

    @property
    def core_hours(self) -> float:
        return self.seconds * self.processes / 3600


def core_hours(log: list[dict]) -> np.ndarray:
    """Core-hours from the start up to each line of C's log: (lines,).

    The lines have `seconds` since the start, and `processes`, which may change when a run resumes.
    """
    seconds = np.diff([line["seconds"] for line in log], prepend=0.0)
    return np.cumsum(seconds * [line["processes"] for line in log]) / 3600


def all_core_hours(log: list[dict]) -> float:
    """The core-hours of a whole log; 0 if it is empty."""
    return core_hours(log)[-1] if log else 0.0


def time_of(log: list[dict]) -> TimeSpent:
    """The time of a whole log, whose lines are as core_hours takes them; it is not empty."""
    seconds = log[-1]["seconds"]
    return TimeSpent(seconds, round(all_core_hours(log) * 3600 / seconds, 2))


def duration(seconds: float) -> str:
    """A duration as text: 47 s, 3 min 20 s, 2 h 05 min, 47 h."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"
