"""Where dreams start: recorded frames, and what M remembers there."""

from replication.config import Dream
from replication.dataset.series import first_frames
from replication.rnn.dream import Starts
from replication.rnn.memory import series_memories
from replication.rnn.rnn import MDNRNN

import numpy as np

STARTS = 1000  # ours: recorded states that dreams start from
FIRST = 0.25  # ours: share of first frames among recorded starts
LIVELY = 20  # ours: steps around a start, in which something has to be earned


def find_starts(
    config: Dream, rnn: MDNRNN, shares: list[tuple[dict, float]], random: np.random.Generator
) -> Starts:
    """What the dreams of an M start from, as --dream.starts says.

    shares: series as for_m gives them, and how much each counts. First frames count alike.
    """
    if config.starts == "recorded":
        return recorded_starts(rnn, shares, STARTS, random)
    frames = zip(*(first_frames(series) for series, _ in shares), strict=True)
    return Starts(*map(np.concatenate, frames))


def recorded_starts(
    rnn: MDNRNN, shares: list[tuple[dict, float]], count: int, random: np.random.Generator
) -> Starts:
    """States of an M that watches recordings: a quarter first frames, the rest from on the way.

    shares: series as for_m gives them, and how many of the starts come from each, in proportion.
    On the way there is something to earn: a frame near which nothing was earned is no start, where
    the game says what steps earn.
    """
    weights = np.array([weight for _, weight in shares])
    counts = random.multinomial(count, weights / weights.sum())
    parts = [
        _some(rnn, series, int(number), random)
        for (series, _), number in zip(shares, counts, strict=True)
    ]
    return Starts(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _some(rnn: MDNRNN, series: dict, count: int, random: np.random.Generator) -> Starts:
    firsts = np.asarray(series["offset"])[:-1]
    lively = np.flatnonzero(_lively(series))
    first = random.choice(firsts, count - int(count * (1 - FIRST)))
    later = random.choice(lively if len(lively) else firsts, int(count * (1 - FIRST)))
    return starts_at(rnn, series, np.concatenate([first, later]))


def starts_at(rnn: MDNRNN, series: dict, at: np.ndarray) -> Starts:
    """These frames (N,) of a series and what M remembers there: it watches their episodes alone."""
    firsts = np.asarray(series["offset"])[:-1]
    h, c = series_memories(rnn, series, np.unique(np.searchsorted(firsts, at, "right") - 1))
    mu, logvar = (np.float32(series[name][at]) for name in ("mu", "logvar"))
    return Starts(mu, logvar, h[at], c[at], np.isin(at, firsts))


def _lively(series: dict) -> np.ndarray:
    """Frames, bool (F,), in whose episode something was earned shortly before or after."""
    earned = np.asarray(series["reward"]) > 0
    offset = np.asarray(series["offset"])
    lively = np.zeros(len(earned), bool)
    for first, after in zip(offset[:-1], offset[1:], strict=True):
        near = np.convolve(earned[first:after], np.ones(2 * LIVELY + 1), "same")
        lively[first:after] = near[: after - first] > 0
    return lively
