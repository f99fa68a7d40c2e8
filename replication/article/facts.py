"""All that the page's scripts work with, as one object: the game, weights, recordings."""

import math
from collections.abc import Sequence

from replication.article.game import end_rule, game_facts, squash_table
from replication.article.networks import (
    controller_parts,
    decoder_parts,
    head_kinds,
    memory_parts,
)
from replication.article.packing import pack
from replication.article.pictures import sheet
from replication.article.recordings import Recording, nats, starts
from replication.article.run_parts import RunParts
from replication.rnn.component_tests import switching
from replication.rnn.rnn import MDNRNN
from replication.tf import tf

import numpy as np

FEWEST_NATS = 0.05  # of a dimension of z that gets a slider


def make_facts(parts: RunParts) -> dict:
    """What web/ reads, by name; a network that the run lacks is None."""
    carried = nats(parts.recordings)
    return {
        "game": game_facts(parts.task),
        "decoder": decoder_parts(parts.decoder),
        "recordings": [_packed(recording) for recording in parts.recordings],
        "starts": starts(parts.recordings),
        "sliders": _sliders(carried),
        "reach": max(3, math.ceil(max(np.abs(r.mu).max() for r in parts.recordings))),
        **(_memory_facts(parts.rnn, parts.recordings) if parts.rnn else {"memory": None}),
        **_controller_facts(parts),
    }


def _packed(recording: Recording) -> dict:
    return {
        "title": recording.title,
        "length": len(recording.obs),
        "sheet": sheet(recording.obs),
        **{name: pack(getattr(recording, name)) for name in ("action", "mu", "logvar")},
    }


def _sliders(carried: np.ndarray) -> list[dict]:
    """The dimensions of z that carry something, the fullest first."""
    order = np.argsort(-carried, kind="stable")
    chosen = [i for i in order if carried[i] >= FEWEST_NATS] or order[:1]
    return [{"dimension": int(i), "nats": round(float(carried[i]), 2)} for i in chosen]


def _memory_facts(rnn: MDNRNN, recordings: Sequence[Recording]) -> dict:
    return {
        "memory": memory_parts(rnn),
        "end": end_rule(rnn.task, head_kinds(rnn)),
        "switching": switching_dimension(rnn, recordings[0]),
    }


def switching_dimension(rnn: MDNRNN, recording: Recording) -> int:
    """The dimension of z whose mixture's weights move most along a recording, as in figure 8."""
    weights = rnn.predict_z(_memory_along(rnn, recording)).mixture_distribution.probs_parameter()
    return int(switching(weights.numpy()).argmax())  # weights (T, Z, K)


def _memory_along(rnn: MDNRNN, recording: Recording) -> np.ndarray:
    """h_1..h_T of the means of z and the actions, (T, H)."""
    step = tf.function(rnn.step)
    h = c = tf.zeros((1, rnn.config.hidden))
    path = []
    for z, action in zip(np.float32(recording.mu), recording.action, strict=True):
        h, c = step(z[None], action[None], h, c)
        path.append(h.numpy()[0])
    return np.stack(path)


def _controller_facts(parts: RunParts) -> dict:
    """C and how the game squashes its outputs, where the page can do that."""
    squash = squash_table(parts.task)
    if parts.agent is None or squash is None:
        return {"controller": None}
    agent, parameters = parts.agent
    return {"controller": controller_parts(agent.controller, parameters), "squash": squash}
