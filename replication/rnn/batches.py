"""M's batches: sequences (z_t, a_t) -> z_{t+1} of encoded episodes, z drawn anew for each batch."""

from replication.config import Rnn
from replication.dataset.episodes import HELD_OUT
from replication.runs.seeds import Purpose, generator
from replication.tf import tf
from replication.vae.vae import sample_z

import numpy as np

HELD_OUT_SEQUENCES = 20  # held-out sequences that losses are measured on, at most
SIGNATURE = {
    "mu": tf.TensorSpec((None, None, None), tf.float32),
    "logvar": tf.TensorSpec((None, None, None), tf.float32),
    "noise": tf.TensorSpec((None, None, None), tf.float32),
    "action": tf.TensorSpec((None, None, None), tf.float32),
    "reward": tf.TensorSpec((None, None), tf.float32),
    "terminated": tf.TensorSpec((None, None), tf.float32),
    "weight": tf.TensorSpec((None, None), tf.float32),
}


def gather(series: dict, rows: np.ndarray, starts: np.ndarray, steps: int, random) -> dict:
    """A batch of `steps` steps from each row's start on; what is not of the episode has weight 0.

    mu, logvar, noise (B, T+1, Z), action (B, T+1, A), reward, terminated, weight (B, T).
    """
    time = starts[:, None] + np.arange(steps + 1)  # (B, T+1)
    inside = time < series["length"][rows][:, None]
    at = rows[:, None], np.minimum(time, series["mu"].shape[1] - 1)
    batch = {name: series[name][at].astype(np.float32) for name in ("mu", "logvar", "action")}
    batch |= {
        name: series[name][at][:, :-1].astype(np.float32) for name in ("reward", "terminated")
    }
    noise = random.standard_normal(batch["mu"].shape, np.float32)
    # Both z_t and z_{t+1} must be frames of the episode: the last frame has no successor.
    return batch | {"noise": noise, "weight": inside[:, 1:].astype(np.float32)}


def draw_z(batch: dict) -> dict:
    """mu, logvar and noise of a batch become z (B, T+1, Z)."""
    z = sample_z(batch.pop("mu"), batch.pop("logvar"), batch.pop("noise"))
    return batch | {"z": z}


def sequence_batches(series, rows: np.ndarray, config: Rnn, seed: int, start: int):
    """Batches from a step on: rows in random order, pass after pass, each from a random start."""
    size = config.batch_size

    def generate():
        step = start
        while True:
            random = generator(seed, Purpose.SEQUENCES, step)
            chosen = deal(rows, seed, step * size, size)
            # Deviation where sequences are shorter than episodes: the original starts at 0.
            last = np.maximum(series["length"][chosen] - config.sequence - 1, 0)
            yield gather(series, chosen, random.integers(last + 1), config.sequence, random)
            step += 1

    return tf.data.Dataset.from_generator(generate, output_signature=SIGNATURE).map(draw_z)


def deal(rows: np.ndarray, seed: int, first: int, count: int) -> np.ndarray:
    """The first-th to (first + count)-th of an endless deal of rows, shuffled anew each pass."""
    places = np.arange(first, first + count)
    passes = {
        n: generator(seed, Purpose.EPISODE_ORDER, int(n)).permutation(rows)
        for n in np.unique(places // len(rows))
    }
    return np.array([passes[place // len(rows)][place % len(rows)] for place in places])


def held_out_batch(series, rows: np.ndarray, config: Rnn, seed: int) -> dict:
    """The same held-out sequences and the same z each time."""
    rows = rows[:HELD_OUT_SEQUENCES]
    random = generator(seed, Purpose.M_HELD_OUT)
    batch = gather(series, rows, np.zeros_like(rows), config.sequence, random)
    return draw_z({name: tf.constant(value) for name, value in batch.items()})


def rows_of(series) -> tuple[np.ndarray, np.ndarray]:
    """Rows of held-out and of training episodes: the same split as V's."""
    held_out = series["seed"] % HELD_OUT == 0
    return np.flatnonzero(held_out), np.flatnonzero(~held_out)
