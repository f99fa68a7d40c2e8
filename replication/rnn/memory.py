"""What M remembers as it watches recorded episodes."""

from replication.rnn.lstm import WideCell
from replication.rnn.rnn import MDNRNN
from replication.tf import tf

import numpy as np

EPISODES = 64  # watched at once


@tf.function(reduce_retracing=True)
def _watch(rnn: MDNRNN, z, action):
    """z (T, B, Z), action (T, B, A) -> h_t, c_t (T, B, H)."""

    cell = WideCell(rnn.lstm.cell)

    def step(state, inputs):
        z, action, restart = inputs
        return rnn.step(z, action, *state, tf.fill(tf.shape(z)[:1], restart), cell)

    steps = tf.range(tf.shape(z)[0])
    zeros = tf.zeros((tf.shape(z)[1], rnn.config.hidden))
    restart = tf.cast(steps == 0, tf.float32)
    later = tf.scan(step, (z, action, restart), [zeros, zeros])  # h_{t+1}, c_{t+1}
    return [tf.concat([zeros[None], values[:-1]], axis=0) for values in later]


def memories(rnn: MDNRNN, z, action) -> tuple[np.ndarray, np.ndarray]:
    """h_t, c_t (T, H) each, what M remembers when it sees each z_t of an episode.

    z (T, Z), action (T, A).
    """
    h, c = _watch(rnn, tf.constant(z)[:, None], tf.constant(action)[:, None])
    return h[:, 0].numpy(), c[:, 0].numpy()


def series_memories(
    rnn: MDNRNN, series: dict, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """h_t, c_t (F, H) each, at every frame of a series, as M watches the means of V.

    rows: the episodes that it watches; the others' frames have zeros. None: all.
    """
    offset = np.asarray(series["offset"])
    h, c = np.zeros((2, offset[-1], rnn.config.hidden), np.float32)
    rows = np.arange(len(offset) - 1) if rows is None else rows
    rows = rows[np.argsort(np.diff(offset)[rows], kind="stable")]  # of like length together
    for first in range(0, len(rows), EPISODES):
        some = rows[first : first + EPISODES]
        lengths = np.diff(offset)[some]
        time = np.minimum(np.arange(lengths.max())[:, None], lengths - 1)  # (T, B)
        at = offset[some] + time
        inputs = (np.float32(series[name][at]) for name in ("mu", "action"))
        remembered = _watch(rnn, *(tf.constant(values) for values in inputs))
        for place, row in enumerate(some):
            episode = slice(offset[row], offset[row + 1])
            for all_of, values in zip((h, c), remembered, strict=True):
                all_of[episode] = values[: lengths[place], place]
    return h, c
