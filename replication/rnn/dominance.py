"""Does a component of M's mixture speak more in one event than otherwise? (Ellefsen et al. 2019)

A component speaks in the steps where its weight is the largest. Its share of an episode's steps
during an event, against its share of the others: over episodes, by Mann and Whitney's U test,
corrected for the number of tests after Holm (1979). An episode gives a share to each side on which
it has steps enough; where it gives both, the test still takes them for independent.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import mannwhitneyu

LEAST = 10  # steps of an episode during an event, or of its others, to count on that side
LEVEL = 0.05  # of significance


def switching(weights: np.ndarray) -> np.ndarray:
    """How much weight moves from step to step, on average: (T, Z, K) -> (Z,), 0..1."""
    return np.abs(np.diff(weights, axis=0)).sum(axis=-1).mean(axis=0) / 2


def shares(weights: np.ndarray, happening: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each component's share of the steps during each event, and of the other steps: both (E, K).

    weights (T, K) of one dimension of z; happening bool (T, E). NaN where there are less than LEAST
    steps of a kind.
    """
    speaks = np.eye(weights.shape[1])[weights.argmax(axis=1)]  # (T, K)
    return _share(speaks, happening), _share(speaks, ~happening)


def _share(speaks: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    steps = chosen.sum(axis=0)[:, None]  # (E, 1)
    enough = np.where(steps >= LEAST, steps, np.nan)
    return chosen.T.astype(float) @ speaks / enough  # (E, K)


def compare(events: Sequence[str], during: np.ndarray, otherwise: np.ndarray) -> list[dict]:
    """A row for each event and component, from 1 on: median shares, U, p, and p after Holm.

    during, otherwise (N, E, K): the shares of N episodes, NaN where one does not count. A row has
    None where no test can be made: only one side, or none, has an episode.
    """
    rows = []
    for e, event in enumerate(events):
        for k in range(during.shape[2]):
            sides = [side[:, e, k][~np.isnan(side[:, e, k])] for side in (during, otherwise)]
            rows.append({"event": event, "component": k + 1} | _test(*sides))
    made = [row for row in rows if row["p"] is not None]
    for row, p in zip(made, holm([row["p"] for row in made]), strict=True):
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
    """P-values corrected for their number: (m - rank) times as large, never falling, at most 1."""
    order, corrected, largest = np.argsort(p, kind="stable"), np.ones(len(p)), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min((len(p) - rank) * p[place], 1.0))
        corrected[place] = largest
    return corrected.tolist()
