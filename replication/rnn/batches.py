"""M's batches: sequences (z_t, a_t) -> z_{t+1} of encoded episodes, z drawn anew for each batch."""

import itertools
from typing import NamedTuple

from replication.config import Rnn
from replication.dataset.episodes import HELD_OUT
from replication.rnn.rnn import heads_of, told_logvar
from replication.runs.seeds import Purpose, generator
from replication.tasks.task import Head, Task
from replication.tf import tf
from replication.vae.vae import sample_z

import numpy as np

HELD_OUT_SEQUENCES = 20  # pieces of held-out episodes that losses are measured on
FRAMES = ("mu", "logvar", "noise", "action")  # of a batch: (B, T+1, ...)
STEPS = ("weight", "head_weight", "restart")  # (B, T)


class Pieces(NamedTuple):
    """Stretches of episodes, B of them, all of `steps` steps."""

    rows: np.ndarray  # (B,): which episode of the series
    starts: np.ndarray  # (B,): from which step on
    ends: np.ndarray  # (B,): how many steps the episode has, as episode_ends says
    steps: int


def episode_ends(series: dict) -> np.ndarray:
    """How many steps each episode has (N,), up to the one that ends it; recordings may go on."""
    first, after = series["offset"][:-1], series["offset"][1:]
    ends = np.append(np.flatnonzero(series["terminated"]) + 1, after[-1])  # of any episode
    return np.minimum(ends[np.searchsorted(ends, first, "right")], after) - first


def for_m(series: dict, config: Rnn, task: Task) -> dict:
    """The series as M learns them: logvar is that of z as M is told it, and there is, of each of
    M's heads, its target and its weight at each frame, float32 (F, 2).
    """
    prepared = {**series, "heads": heads_of(config, task)}
    for name in prepared["heads"]:
        prepared[name] = _targets(series, task.heads[name])
    if config.z == "mean":
        told = np.float16(told_logvar(0, config))
        prepared["logvar"] = np.broadcast_to(told, series["logvar"].shape)
    return prepared


def _targets(series: dict, head: Head) -> np.ndarray:
    reward, terminated = (np.asarray(series[name]) for name in ("reward", "terminated"))
    targets = np.zeros((len(reward), 2), np.float32)
    for first, after in itertools.pairwise(series["offset"]):
        values = head.target(reward[first:after], terminated[first:after])
        targets[first:after] = np.stack(values, axis=-1)
    return targets


def gather(series: dict, pieces: Pieces, random: np.random.Generator) -> dict:
    """The batch of these pieces; what is not of an episode has weight 0.

    mu, logvar, noise (B, T+1, Z), action (B, T+1, A), weight, head_weight, restart (B, T), and
    (B, T, 2) of each head that for_m has put into the series. weight is 1 where z_t and z_{t+1} are
    both of the episode, head_weight where z_t is: the step that ends an episode has a reward and
    an end, and no z_{t+1}. restart is 1 at the first step of an episode. What follows an episode's
    end repeats its last step.
    """
    time = pieces.starts[:, None] + np.arange(pieces.steps + 1)  # (B, T+1)
    # Deviation: the original's M also learns from what its recordings show after an end.
    inside = np.float32(time < pieces.ends[:, None])
    at = series["offset"][pieces.rows, None] + np.minimum(time, pieces.ends[:, None] - 1)
    batch = {name: series[name][at].astype(np.float32) for name in ("mu", "logvar", "action")}
    batch |= {name: series[name][at][:, :-1] for name in series["heads"]}
    noise = random.standard_normal(batch["mu"].shape, np.float32)
    batch |= {"weight": inside[:, 1:], "head_weight": inside[:, :-1]}
    return batch | {"noise": noise, "restart": np.float32(time[:, :-1] == 0)}


def draw_z(batch: dict) -> dict:
    """mu, logvar and noise of a batch become z (B, T+1, Z)."""
    rest = {key: value for key, value in batch.items() if key not in ("mu", "logvar", "noise")}
    return rest | {"z": sample_z(batch["mu"], batch["logvar"], batch["noise"])}


def last_starts(ends: np.ndarray, config: Rnn) -> np.ndarray:
    """From which step on the last piece of each episode starts (B,).

    With heads beside the mixture it holds the step that ends the episode, which has no z_{t+1}. Of
    an episode that is longer than a piece few pieces would hold it, unless they may reach beyond.
    """
    left = ends - config.sequence - (config.heads == "none")
    return np.where(left > 0, left + min(config.beyond, config.sequence - 1), 0)


def sequence_batches(series, rows: np.ndarray, config: Rnn, seed: int, start: int):
    """Batches from a step on: rows in random order, pass after pass, each from a random start."""
    size, ends = config.batch_size, episode_ends(series)

    def generate():
        step = start
        while True:
            random = generator(seed, Purpose.SEQUENCES, step)
            chosen = deal(rows, seed, step * size, size)
            # Deviation where sequences are shorter than episodes: the original starts at 0.
            starts = random.integers(last_starts(ends[chosen], config) + 1)
            yield gather(series, Pieces(chosen, starts, ends[chosen], config.sequence), random)
            step += 1

    signature = _signature(series["heads"])
    return tf.data.Dataset.from_generator(generate, output_signature=signature).map(draw_z)


def _signature(heads: list[str]) -> dict[str, tf.TensorSpec]:
    shapes = dict.fromkeys(FRAMES, (None, None, None)) | dict.fromkeys(STEPS, (None, None))
    shapes |= dict.fromkeys(heads, (None, None, 2))
    return {name: tf.TensorSpec(shape, tf.float32) for name, shape in shapes.items()}


def deal(rows: np.ndarray, seed: int, first: int, count: int) -> np.ndarray:
    """The first-th to (first + count)-th of an endless deal of rows, shuffled anew each pass."""
    places = np.arange(first, first + count)
    passes = {
        n: generator(seed, Purpose.EPISODE_ORDER, int(n)).permutation(rows)
        for n in np.unique(places // len(rows))
    }
    return np.array([passes[place // len(rows)][place % len(rows)] for place in places])


def even_batch(series, rows: np.ndarray, config: Rnn, seed: int) -> dict:
    """The same pieces each time, evenly spread over these episodes from first steps to last.

    As gather gives them, mu and logvar included.
    """
    per_episode = -(-HELD_OUT_SEQUENCES // len(rows))
    chosen = np.tile(rows, per_episode)[:HELD_OUT_SEQUENCES]
    ends = episode_ends(series)[chosen]
    places = np.arange(len(chosen)) // len(rows) / max(per_episode - 1, 1)  # 0..1 of the episode
    starts = (places * last_starts(ends, config)).astype(int)
    random = generator(seed, Purpose.M_HELD_OUT)
    return gather(series, Pieces(chosen, starts, ends, config.sequence), random)


def rows_of(series) -> tuple[np.ndarray, np.ndarray]:
    """Rows of held-out and of training episodes: the same split as V's."""
    held_out = series["seed"] % HELD_OUT == 0
    return np.flatnonzero(held_out), np.flatnonzero(~held_out)


class Share(NamedTuple):
    """Episodes of a series, and how much of a batch is drawn from them."""

    series: dict  # as for_m gives it
    rows: np.ndarray
    weight: float


def mixed_batches(shares: list[Share], config: Rnn, seed: int, start: int) -> tf.data.Dataset:
    """Batches from a step on, of several series: pieces from random places of random episodes."""
    weights = np.array([share.weight for share in shares])
    ends = [episode_ends(share.series) for share in shares]

    def generate():
        step = start
        while True:
            random = generator(seed, Purpose.SEQUENCES, step)
            counts = random.multinomial(config.batch_size, weights / weights.sum())
            parts = []
            for share, lengths, count in zip(shares, ends, counts, strict=True):
                chosen = random.choice(share.rows, count)
                starts = random.integers(last_starts(lengths[chosen], config) + 1)
                pieces = Pieces(chosen, starts, lengths[chosen], config.sequence)
                parts.append(gather(share.series, pieces, random))
            yield {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            step += 1

    signature = _signature(shares[0].series["heads"])
    return tf.data.Dataset.from_generator(generate, output_signature=signature).map(draw_z)
