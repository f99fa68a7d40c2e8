"""Recorded rollouts: found, checked, split, and streamed to V without ever holding them all."""

import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.config import ACTIONS, UserError
from replication.runs import folders

import numpy as np

HELD_OUT = 20  # one episode in 20 is never trained on. Deviation: the paper holds none out
TOGETHER = 32  # episodes that are in memory at once, and shuffled into each other: 0.4 GB
FORMAT = {
    "obs": ("uint8", (64, 64, 3)),
    "action": ("float32", (ACTIONS,)),
    "reward": ("float32", ()),
    "terminated": ("bool", ()),
}
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


def list_episodes(folder: Path, skip_bad: bool = False) -> list[Recorded]:
    """The episodes of a set, sorted by seed.

    Raises UserError naming the first file that is not an episode; with skip_bad such files are
    named on stderr and left out.
    """
    episodes = []
    for path in sorted(folder.glob("[!.]*.npz")):
        try:
            episodes.append(Recorded(path, _checked_length(path)))
        except UNREADABLE as error:
            complaint = f"{folders.shown(path)} is not an episode ({error})"
            if not skip_bad:
                raise UserError(
                    f"{complaint}: delete it and run extract.py again, or --extract.skip_bad"
                ) from None
            print(f"{complaint}: left out", file=sys.stderr)
    if not episodes:
        raise UserError(f"{folders.shown(folder)} holds no episode: run extract.py")
    return episodes


def _checked_length(path: Path) -> int:
    """Frames of an episode, from the headers of its arrays; ValueError if they do not fit."""
    int(path.stem)
    lengths = set()
    with zipfile.ZipFile(path) as archive:
        for name, (dtype, shape) in FORMAT.items():
            with archive.open(f"{name}.npy") as member:
                np.lib.format.read_magic(member)
                found, _, kind = np.lib.format.read_array_header_1_0(member)
            if str(kind) != dtype or found[1:] != shape or not found[0]:
                raise ValueError(f"{name} is {kind} {found}")
            lengths.add(found[0])
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
        raise UserError(f"{len(episodes)} episodes cannot be split: extract at least 2")
    return training, held_out


class FrameStream:
    """Batches of frames in an order that follows from the seed alone, from any step on.

    A pass over the data takes the episodes in random order, TOGETHER at a time, and deals their
    frames at random into batches; what is less than a batch at the end of such a block is left.
    """

    def __init__(self, episodes: Sequence[Recorded], batch_size: int, seed: int):
        self.episodes, self.batch_size, self.seed = list(episodes), batch_size, seed
        if sum(e.length for e in self.episodes[:TOGETHER]) < batch_size:
            raise UserError(f"fewer frames than one batch of {batch_size}: extract more episodes")

    def batches_in_pass(self, number: int = 0) -> int:
        return sum(count for _, count in self._blocks(number))

    def _blocks(self, number: int) -> list[tuple[list[Recorded], int]]:
        """The blocks of a pass: episodes, and how many batches they give."""
        order = np.random.default_rng([self.seed, 3, number]).permutation(len(self.episodes))
        chosen = [self.episodes[i] for i in order]
        blocks = [chosen[i : i + TOGETHER] for i in range(0, len(chosen), TOGETHER)]
        return [(block, sum(e.length for e in block) // self.batch_size) for block in blocks]

    def batches(self, start: int = 0) -> Iterator[np.ndarray]:
        """Frames uint8 (B, 64, 64, 3), without end, from the start-th batch on."""
        number, skip = 0, start
        while True:
            for index, (block, count) in enumerate(self._blocks(number)):
                if skip >= count:
                    skip -= count
                    continue
                random = np.random.default_rng([self.seed, 3, number, index])
                yield from self._deal(block, count, random, skip)
                skip = 0
            number += 1

    def _deal(self, block, count: int, random, skip: int) -> Iterator[np.ndarray]:
        frames = np.empty((sum(e.length for e in block), 64, 64, 3), np.uint8)
        end = 0
        for episode in block:
            (frames[end : end + episode.length],) = read_episode(episode.path, "obs")
            end += episode.length
        order = random.permutation(end)
        for batch in range(skip, count):
            yield frames[order[batch * self.batch_size : (batch + 1) * self.batch_size]]
