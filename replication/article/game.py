"""What a page must know of a game: all of it is asked of the Task, none of it is one game's."""

from collections.abc import Mapping

from replication.article.packing import pack
from replication.tasks.task import Task
from replication.tf import tf, tfp

import numpy as np

tfd = tfp.distributions

REACH = 8.0  # C's outputs are squashed by a table over -8..8; beyond it the ends hold
POINTS = 2049  # of the table; between them the page draws straight lines
TOLERANCE = 1e-4  # of the table, against the task's own squash
GRID = np.linspace(0, 1, 1001, dtype=np.float32)  # probabilities at which an end is asked for


def game_facts(task: Task) -> dict:
    """Names, sizes, limits and frames a second."""
    return {
        "name": task.name,
        "environment": task.environment,
        "fps": task.fps,
        "z_size": task.z_size,
        "actions": list(task.actions),
        "low": list(task.action_low),
        "high": list(task.action_high),
        "max_steps": task.max_steps,
    }


def squash_table(task: Task) -> dict | None:
    """Each action as a function of C's output of the same place: packed (A, POINTS).

    None where the actions are not that: where one output moves several.
    """
    outputs = np.linspace(-REACH, REACH, POINTS, dtype=np.float32)
    rows = np.repeat(outputs[:, None], task.action_size, axis=1)
    table = _squashed(task, rows).T  # (A, POINTS)
    tried = np.random.default_rng(0).normal(scale=2, size=(64, task.action_size))
    read = [np.interp(tried[:, i], outputs, table[i]) for i in range(task.action_size)]
    wrong = np.abs(_squashed(task, np.float32(tried)) - np.stack(read, axis=1)).max()
    return {"reach": REACH, "table": pack(table)} if wrong < TOLERANCE else None


def _squashed(task: Task, outputs: np.ndarray) -> np.ndarray:
    return np.asarray(task.squash(tf.constant(outputs), tf), np.float32)


def end_rule(task: Task, kinds: Mapping[str, str]) -> dict | None:
    """Which head ends a dream, and how: {"head", "above"}; None if none does.

    above: the probability above which the dream ends; None where the end is drawn. kinds: of M's
    heads, "probability" or "number".
    """
    for name in sorted(kinds):
        if kinds[name] == "probability":
            low, high = (_least(task, kinds, name, uniform) for uniform in (0.25, 0.75))
            if None not in (low, high):
                drawn = high - low > 0.4
                return {"head": name, "above": None if drawn else round(low, 2)}
    return None


def _least(task: Task, kinds: Mapping[str, str], asked: str, uniform: float) -> float | None:
    """The least probability of a head at which a dream ends, if this number was drawn."""
    zero = np.zeros_like(GRID)
    heads = {
        name: tfd.Normal(zero, 1.0)
        if kind == "number"
        else tfd.Bernoulli(probs=GRID if name == asked else zero)
        for name, kind in kinds.items()
    }
    ended = np.asarray(task.dream_outcome(heads, tf.fill(GRID.shape, uniform)).ended)
    return float(GRID[ended.argmax()]) if ended.any() else None
