"""How well M foresees the end of episodes that it was not trained on: what dreams' lengths hang on.

An end is foreseen where M gives it more than half a chance, as dreams end (World Models, 4).
"""

from collections.abc import Iterable
from typing import NamedTuple

from replication.rnn.batches import Pieces, draw_z, episode_ends, for_m, gather
from replication.rnn.rnn import MDNRNN
from replication.runs.seeds import Purpose, generator
from replication.tasks.task import Task
from replication.tf import tf

import numpy as np

TOGETHER = 16  # episodes
CUT = 0.5  # the chance from which on a dream is over
LIKELY = np.float32(0.75)  # a probability by which an end is recognised
BEFORE = 30  # steps before an end, over which the chance of it is shown


class EndScore(NamedTuple):
    """What M makes of the ends of N episodes."""

    loss: float  # nats: the end's, mean over steps, as in training
    deaths: int  # episodes that ended; the others were cut
    found: int  # of these, those whose last step has more than half a chance to be it
    steps: int  # all that ended nothing
    alarms: int  # of these, those with more than half a chance
    early: int  # of these, those that an end followed within BEFORE steps
    approach: list[float]  # the mean chance BEFORE, .. 1, 0 steps before an end


class _Steps(NamedTuple):
    """Some episodes' steps, (B, T) each."""

    loss: np.ndarray
    chance: np.ndarray  # that the step is the last one
    is_end: np.ndarray
    inside: np.ndarray  # of the episode


def end_head(task: Task, heads: Iterable[str]) -> str | None:
    """The one of M's heads whose probability is that of a dream's end; None if none is."""
    heads = sorted(heads)
    for asked in heads:
        expected = {name: np.float32([name == asked and LIKELY]) for name in heads}
        if task.heads[asked].kind == "event" and task.dream_outcome(expected, 1).end[0] == LIKELY:
            return asked
    return None


def measure_ends(rnn: MDNRNN, series: dict, rows: np.ndarray, seed: int) -> EndScore:
    """M's EndScore over whole episodes of the series, by their rows (N,); M has an end_head."""
    series, ends = for_m(series, rnn.config, rnn.task), episode_ends(series)
    look = tf.function(lambda batch: _look(rnn, batch), reduce_retracing=True)
    rows = rows[np.argsort(ends[rows], kind="stable")]  # together those of nearly one length
    parts = []
    for first in range(0, len(rows), TOGETHER):
        chosen = rows[first : first + TOGETHER]
        pieces = Pieces(chosen, np.zeros_like(chosen), ends[chosen], int(ends[chosen].max()))
        batch = gather(series, pieces, generator(seed, Purpose.M_HELD_OUT, 1, first))
        values = (tensor.numpy() for tensor in look(draw_z(batch)))
        parts.append(_Steps(*values, inside=batch["head_weight"] > 0))
    return _score(parts)


def _look(rnn: MDNRNN, batch: dict):
    """The end's loss, its chance and whether it came: (B, T) each."""
    h, _ = rnn(batch["z"][:, :-1], batch["action"][:, :-1], batch["restart"])
    head = end_head(rnn.task, rnn.heads)
    target, counts = tf.unstack(batch[head], axis=-1)
    prediction = rnn.predict_heads(h)[head]
    return -prediction.log_prob(target) * counts, prediction.mean(), target > 0


def _score(parts: list[_Steps]) -> EndScore:
    loss, steps, deaths, found, alarms, early = 0.0, 0, 0, 0, 0, 0
    approach = []  # (BEFORE + 1,) of each death
    for part in parts:
        loss += part.loss[part.inside].sum()
        steps += part.inside.sum()
        alarm = part.inside & (part.chance > CUT)
        for row, last in np.argwhere(part.inside & part.is_end):
            deaths += 1
            found += alarm[row, last]
            early += alarm[row, max(last - BEFORE, 0) : last].sum()
            chances = part.chance[row, max(last - BEFORE, 0) : last + 1]
            approach.append(np.pad(chances, (BEFORE + 1 - len(chances), 0)))
        alarms += (alarm & ~part.is_end).sum()
    mean = np.mean(approach, axis=0) if approach else np.zeros(BEFORE + 1)
    counts = (int(count) for count in (deaths, found, steps - deaths, alarms, early))
    return EndScore(float(loss / steps), *counts, mean.round(4).tolist())
