"""What a page must know of a game: all of it is asked of the Task, none of it is one game's."""

from replication.article.packing import pack
from replication.tasks.task import Task
from replication.tf import tf

import numpy as np

REACH = 8.0  # C's outputs are squashed by a table over -8..8; beyond it the ends hold
POINTS = 2049  # of the table; between them the page draws straight lines
TOLERANCE = 1e-4  # of the table, against the task's own squash


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
