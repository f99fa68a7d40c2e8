"""Frames of recorded episodes, shuffled into batches without ever holding them all."""

from collections.abc import Iterator, Sequence

from replication.config import UserError
from replication.dataset.episodes import Recorded, read_episode
from replication.runs.seeds import Purpose, generator

import numpy as np

TOGETHER = 32  # episodes that are in memory at once, and shuffled into each other: 0.4 GB


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
        order = generator(self.seed, Purpose.BLOCK_ORDER, number).permutation(len(self.episodes))
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
                random = generator(self.seed, Purpose.FRAME_ORDER, number, index)
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
