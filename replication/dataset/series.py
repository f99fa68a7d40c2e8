"""A run's rollouts as V has encoded them: memory-mapped arrays, one episode after the other.

data/RUN/series/, of N episodes with F frames in all: mu, logvar float16 (F, Z), action float32
(F, A), reward float32 (F,), terminated bool (F,); offset int64 (N + 1,): episode n has the frames
offset[n]..offset[n + 1] - 1; seed int64 (N,); and series.json, which names V.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from replication.config import Config, UserError
from replication.dataset.episodes import UNREADABLE, Recorded, read_episode
from replication.runs import files, folders, records
from replication.tasks.games import task_of
from replication.tasks.task import Task

import numpy as np
from tqdm import tqdm

BATCH = 250  # frames that are encoded at once
See = Callable[[np.ndarray], tuple]
"""V: frames uint8 (B, 64, 64, 3), as bytes, -> mu, logvar (B, Z)."""


def formats(task: Task) -> dict:
    """Each array's type, and the shape of one step of it."""
    return {
        "mu": (np.float16, (task.z_size,)),
        "logvar": (np.float16, (task.z_size,)),
        "action": (np.float32, (task.action_size,)),
        "reward": (np.float32, ()),
        "terminated": (np.bool_, ()),
    }


def encode(see: See, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames uint8 (T, 64, 64, 3) -> mu, logvar float16 (T, Z)."""
    parts = [see(obs[i : i + BATCH]) for i in range(0, len(obs), BATCH)]
    mu, logvar = (np.concatenate(part) for part in zip(*parts, strict=True))
    return mu.astype(np.float16), logvar.astype(np.float16)


def new_array(path: Path, dtype, shape: tuple[int, ...]) -> np.ndarray:
    """A memory-mapped file of zeros that has its space on the disk."""
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    with open(path, "r+b") as file:  # a full disk is an error here; in a mapped page, a crash
        os.posix_fallocate(file.fileno(), 0, array.offset + array.nbytes)
    return array


def write_series(see: See, episodes: list[Recorded], task: Task, folder: Path) -> int:
    """Write the arrays into a folder; returns the frames."""
    offset = np.cumsum([0, *(episode.length for episode in episodes)], dtype=np.int64)
    arrays = {
        name: new_array(folder / f"{name}.npy", dtype, (int(offset[-1]), *shape))
        for name, (dtype, shape) in formats(task).items()
    }
    with tqdm(episodes, "series", unit="episode") as bar:
        for episode, first in zip(bar, offset[:-1], strict=True):
            obs, *rest = read_episode(episode.path, "obs", "action", "reward", "terminated")
            values = (*encode(see, obs), *rest)
            for array, value in zip(arrays.values(), values, strict=True):
                array[first : first + episode.length] = value
    for array in arrays.values():
        array.flush()
    np.save(folder / "offset.npy", offset)
    np.save(folder / "seed.npy", np.array([e.seed for e in episodes], np.int64))
    return int(offset[-1])


def replace_series(see: See, episodes: list[Recorded], task: Task, folder: Path) -> int:
    """Write the arrays in a folder of their own, then put them all in place; returns the frames."""
    new = folder / ".new"
    shutil.rmtree(new, ignore_errors=True)  # what a killed process left
    new.mkdir()
    try:
        frames = write_series(see, episodes, task, new)
        for name in ("done.json", "series.json"):  # until all are in place they are nobody's
            (folder / name).unlink(missing_ok=True)
        for path in sorted(new.iterdir()):
            path.rename(folder / path.name)
    finally:
        shutil.rmtree(new)
    return frames


def write_starts(mu: np.ndarray, logvar: np.ndarray, task: Task, folder: Path) -> None:
    """Series of N episodes of one frame each, which dreams start from; mu, logvar (N, Z)."""
    known = {"mu": mu, "logvar": logvar}
    arrays = {
        name: np.asarray(known.get(name, np.zeros((len(mu), *shape))), dtype)
        for name, (dtype, shape) in formats(task).items()
    }
    arrays |= {"offset": np.arange(len(mu) + 1), "seed": np.arange(len(mu))}
    for name, array in arrays.items():
        with files.replacing(folder / f"{name}.npy") as temporary:  # a branch may share the old one
            np.save(temporary, array)


def load_series(config: Config) -> dict[str, np.ndarray]:
    """The series of a run, memory-mapped; UserError if they are not of this run's V."""
    folder = folders.series_folder(config)
    made_by = files.read_json(folder / "series.json", "vae")["vae"]
    ours = records.output_of(config, f"train_{config.vision}")
    if made_by != ours:
        raise UserError(
            f"{folders.shown(folder)} was encoded by another V ({made_by}, not {ours}):"
            f" run python replication/{records.command(config, 'series')} --overwrite"
        )
    again = f"run python replication/{records.command(config, 'series')} --overwrite"
    return map_arrays(task_of(config.task), folder, again)


def map_arrays(task: Task, folder: Path, again: str) -> dict[str, np.ndarray]:
    """The arrays of a series, memory-mapped; UserError if they cannot be read.

    again: what the user can then do.
    """
    names = (*formats(task), "offset", "seed")
    try:
        return {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
    except UNREADABLE as error:
        raise UserError(f"{folders.shown(folder)} cannot be read ({error}): {again}") from None


def first_frames(series: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """V's mu and logvar of each episode's first frame, float32 (N, Z): where dreams start."""
    first = series["offset"][:-1]
    return np.float32(series["mu"][first]), np.float32(series["logvar"][first])
