"""Recorded episodes on disk: how one is stored, found, checked, read and written.

data/SET/record/SEED.npz: obs uint8 (T, 64, 64, 3), action float32 (T, A), reward float32 (T,),
terminated bool (T,); reward[t] is what action[t] earned.
"""

import io
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.config import Config, UserError
from replication.runs import folders
from replication.tasks.games import task_of

import numpy as np

HELD_OUT = 20  # one episode in 20 is never trained on. Deviation: the paper holds none out
# What NumPy and zipfile raise for files that are not what they should be.
UNREADABLE = (
    OSError, ValueError, TypeError, AttributeError, EOFError, KeyError, RuntimeError,
    zipfile.BadZipFile, zipfile.zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """An episode on disk."""

    path: Path
    length: int  # frames

    @property
    def seed(self) -> int:
        return int(self.path.stem)


def episode_path(folder: Path, seed: int) -> Path:
    """Where an episode stands in a set's folder."""
    return folder / f"{seed:010d}.npz"


def pack_episode(obs, action, reward, terminated) -> bytes:
    """An episode as the bytes of its file; all four are sequences over its steps."""
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        obs=np.stack(obs),
        action=np.stack(action),
        reward=np.float32(reward),
        terminated=np.bool_(terminated),
    )
    return packed.getvalue()


def list_episodes(config: Config) -> list[Recorded]:
    """The episodes of the run's set of rollouts, sorted by seed, but for those too short to use.

    Raises UserError naming the first file that is not an episode of the run's task; with
    extract.skip_bad such files are named on stderr and left out.
    """
    folder, task = folders.record_folder(config), task_of(config.task)
    episodes = []
    for path in sorted(folder.glob("[!.]*.npz")):
        try:
            episodes.append(Recorded(path, _checked_length(path, task.action_size)))
        except UNREADABLE as error:
            complaint = f"{folders.shown(path)} is not an episode ({error})"
            if not config.extract.skip_bad:
                raise UserError(
                    f"{complaint}: delete it and run extract.py again, or --extract.skip_bad"
                ) from None
            print(f"{complaint}: left out", file=sys.stderr)
    _check_seeds(episodes)
    long_enough = [episode for episode in episodes if episode.length >= task.shortest]
    if not long_enough:
        wanted = f" of {task.shortest} frames or more" if episodes else ""
        raise UserError(f"{folders.shown(folder)} holds no episode{wanted}: run extract.py")
    return long_enough


def _check_seeds(episodes: list[Recorded]) -> None:
    """Raise UserError if a seed, which is an episode's name, stands there twice: 7 and 0007."""
    paths: dict[int, Path] = {}
    for episode in episodes:
        if (first := paths.setdefault(episode.seed, episode.path)) != episode.path:
            raise UserError(
                f"{folders.shown(first)} and {episode.path.name} have one seed: rename one"
            )


def _checked_length(path: Path, action_size: int) -> int:
    """Frames of an episode, from the headers of its arrays; ValueError if they do not fit."""
    formats = {
        "obs": ("uint8", (64, 64, 3)),
        "action": ("float32", (action_size,)),
        "reward": ("float32", ()),
        "terminated": ("bool", ()),
    }
    int(path.stem)
    lengths = set()
    with zipfile.ZipFile(path) as archive:
        for name, (dtype, shape) in formats.items():
            with archive.open(f"{name}.npy") as member:
                np.lib.format.read_magic(member)
                stored, _, kind = np.lib.format.read_array_header_1_0(member)
            if str(kind) != dtype or stored[1:] != shape or not stored[0]:
                raise ValueError(f"{name} is {kind} {stored}")
            lengths.add(stored[0])
    if len(lengths) != 1:
        raise ValueError(f"arrays of different lengths {sorted(lengths)}")
    return lengths.pop()


def read_episode(path: Path, *names: str) -> list[np.ndarray]:
    """The named arrays of an episode (obs, action, ...); UserError names a file that is broken."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except UNREADABLE as error:
        raise UserError(f"{folders.shown(path)} cannot be read ({error}): delete it") from None


def split(episodes: Sequence[Recorded]) -> tuple[list[Recorded], list[Recorded]]:
    """Training and held-out episodes (5%); which one an episode is in never changes."""
    held_out = [episode for episode in episodes if episode.seed % HELD_OUT == 0]
    training = [episode for episode in episodes if episode.seed % HELD_OUT]
    if not training or not held_out:
        raise UserError(
            f"{len(episodes)} episodes cannot be split: one with a seed that {HELD_OUT} divides,"
            " which is held out, and one with another are needed at least"
        )
    return training, held_out
