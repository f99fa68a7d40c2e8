"""Tests whether a component of M's mixture speaks more in one event than otherwise.

A component speaks in the steps in which its weight is the largest (Ellefsen et al. 2019). Its share
of an episode's steps during an event is compared with its share of the episode's other steps, over
many episodes: by Mann and Whitney's U test, corrected for the number of tests by Holm's method
(1979). An episode counts on each side, during the event and otherwise, where it has at least
MIN_STEPS steps. The test takes all shares for independent, also two of the same episode.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import mannwhitneyu

MIN_STEPS = 10  # of an episode, during an event or otherwise, for a share that counts
SIGNIFICANCE = 0.05  # a corrected p below this is called significant


def switching(weights: np.ndarray) -> np.ndarray:
    """How much of the weight moves from one step to the next, on average.

    weights: of the mixture, (T, Z, K), summing to 1 over K. Returns (Z,), 0..1.
    """
    return np.abs(np.diff(weights, axis=0)).sum(axis=-1).mean(axis=0) / 2


def shares(weights: np.ndarray, happening: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of the steps in which each component speaks, during each event and otherwise.

    weights: of one dimension of z, (T, K). happening: bool (T, E). Returns two arrays (E, K), 0..1,
    NaN where an event has fewer than MIN_STEPS steps of that kind.
    """
    speaks = np.eye(weights.shape[1])[weights.argmax(axis=1)]  # (T, K)
    return _share(speaks, happening), _share(speaks, ~happening)


def _share(speaks: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The mean of speaks (T, K) over the chosen steps, bool (T, E): (E, K)."""
    steps = chosen.sum(axis=0)[:, None]  # (E, 1)
    enough = np.where(steps >= MIN_STEPS, steps, np.nan)
    return chosen.T.astype(float) @ speaks / enough  # (E, K)


def compare(events: Sequence[str], during: np.ndarray, otherwise: np.ndarray) -> list[dict]:
    """Test each component in each event: the rows of tests.csv.

    events: names of E events. during, otherwise: shares (N, E, K) of N episodes, NaN where an
    episode does not count. A row has the event, the component (from 1), how many episodes count on
    each side, the median shares, U, p, and p after Holm (p_holm). These are None where they cannot
    be computed, because no episode counts on a side.
    """
    rows = []
    for e, event in enumerate(events):
        for k in range(during.shape[2]):
            sides = [side[:, e, k][~np.isnan(side[:, e, k])] for side in (during, otherwise)]
            rows.append({"event": event, "component": k + 1} | _test(*sides))
    tested = [row for row in rows if row["p"] is not None]
    for row, p in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = p
    return rows


def _test(during: np.ndarray, otherwise: np.ndarray) -> dict:
    testable = len(during) > 0 and len(otherwise) > 0
    u, p = mannwhitneyu(during, otherwise) if testable else (None, None)
    return {
        "episodes_during": len(during),
        "episodes_otherwise": len(otherwise),
        "share_during": float(np.median(during)) if len(during) else None,
        "share_otherwise": float(np.median(otherwise)) if len(otherwise) else None,
        "u": None if u is None else float(u),
        "p": None if p is None else float(p),
        "p_holm": None,
    }


def holm(p: Sequence[float]) -> list[float]:
    """P-values corrected for their number m by Holm's method, in the order given.

    The smallest is multiplied by m, the next by m - 1, and so on; a corrected value is at most 1
    and at least as large as that of the next smaller p.
    """
    order, corrected, largest = np.argsort(p, kind="stable"), np.ones(len(p)), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min((len(p) - rank) * p[place], 1.0))
        corrected[place] = largest
    return corrected.tolist()
