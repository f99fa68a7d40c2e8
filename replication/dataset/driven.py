"""What agents drove in a round, as series: data/RUN/rounds/NN/, in the format of series/."""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

from replication.dataset.series import formats, map_arrays
from replication.tasks.task import Task

import numpy as np


def write_driven(
    episodes: Sequence[dict[str, np.ndarray]], seeds: Sequence[int], task: Task, folder: Path
) -> None:
    """Write episodes, as Recorder keeps them, into a folder that appears whole."""
    new = folder.with_name(f".{folder.name}")
    shutil.rmtree(new, ignore_errors=True)  # what a killed process left
    new.mkdir(parents=True)
    for name, (dtype, _) in formats(task).items():
        np.save(new / f"{name}.npy", np.concatenate([e[name] for e in episodes]).astype(dtype))
    lengths = [len(episode["reward"]) for episode in episodes]
    np.save(new / "offset.npy", np.cumsum([0, *lengths], dtype=np.int64))
    np.save(new / "seed.npy", np.array(seeds, np.int64))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def load_driven(task: Task, folder: Path) -> dict[str, np.ndarray]:
    """The episodes of a round, memory-mapped; UserError if they cannot be read."""
    return map_arrays(task, folder, "restore it, or --overwrite")


def return_of(episode: dict[str, np.ndarray], max_steps: int, idle_reward: float) -> float:
    """The return of an episode; one that was given up stands idle to its last step."""
    rewards = np.float64(episode["reward"])
    left = 0 if episode["terminated"][-1] else max_steps - len(rewards)
    return float(rewards.sum()) + idle_reward * left


def episodes_of(series: dict, count: int) -> list[dict[str, np.ndarray]]:
    """Reward and terminated of a series' first episodes."""
    offset = series["offset"][: count + 1]
    return [
        {name: np.asarray(series[name][first:after]) for name in ("reward", "terminated")}
        for first, after in itertools.pairwise(offset)
    ]
