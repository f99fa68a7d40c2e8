"""All that the page's scripts work with, as one object: the game, weights, recordings."""

import math

from replication.article.game import game_facts, squash_table
from replication.article.networks import controller_parts, decoder_parts, memory_parts
from replication.article.packing import pack
from replication.article.pictures import sheet
from replication.article.recordings import Recording, nats, starts
from replication.article.run_parts import RunParts
from replication.rnn.component_tests import switching
from replication.rnn.ends import end_head
from replication.rnn.rnn import MDNRNN, told_logvar
from replication.vae.frames import USED

import numpy as np


def make_facts(parts: RunParts) -> dict:
    """What web/ reads, by name; a network that the run lacks is None."""
    carried = nats(parts.recordings)
    return {
        "game": game_facts(parts.task),
        "decoder": decoder_parts(parts.decoder),
        "recordings": [_packed(recording, parts.rnn) for recording in parts.recordings],
        "starts": starts(parts.recordings),
        "sliders": _sliders(carried),
        "reach": max(3, math.ceil(max(np.abs(r.mu).max() for r in parts.recordings))),
        **(_memory_facts(parts) if parts.rnn else {"memory": None}),
        **_controller_facts(parts),
    }


def _packed(recording: Recording, rnn: MDNRNN | None) -> dict:
    """A recording; its logvar is of the z that M is told, where there is an M."""
    logvar = recording.logvar
    if rnn:
        told = told_logvar(np.float32(logvar), rnn.config)
        logvar = np.broadcast_to(np.float32(told), logvar.shape)
    return {
        "title": recording.title,
        "length": len(recording.obs),
        "sheet": sheet(recording.obs),
        "action": pack(recording.action),
        "mu": pack(recording.mu),
        "logvar": pack(logvar),
    }


def _sliders(carried: np.ndarray) -> list[dict]:
    """The dimensions of z that are in use, as V's log counts them, the fullest first."""
    order = np.argsort(-carried, kind="stable")
    chosen = [i for i in order if carried[i] > USED] or order[:1]
    return [{"dimension": int(i), "nats": round(float(carried[i]), 2)} for i in chosen]


def _memory_facts(parts: RunParts) -> dict:
    return {
        "memory": memory_parts(parts.rnn),
        "temperature": parts.dream.temperature,
        "end": end_head(parts.task, parts.rnn.heads),
        "ends": parts.dream.ends,
        "switching": switching_dimension(parts.rnn, parts.recordings[0]),
    }


def switching_dimension(rnn: MDNRNN, recording: Recording) -> int:
    """The dimension of z whose mixture's weights move most along a recording, as in figure 8."""
    weights = rnn.predict_z(_memory_along(rnn, recording)).mixture_distribution.probs_parameter()
    return int(switching(weights.numpy()).argmax())  # weights (T, Z, K)


def _memory_along(rnn: MDNRNN, recording: Recording) -> np.ndarray:
    """h_1..h_T of the means of z and the actions, (T, H)."""
    restart = np.zeros((1, len(recording.mu)), np.float32)
    restart[0, 0] = 1
    return rnn(np.float32(recording.mu)[None], recording.action[None], restart)[0][0].numpy()


def _controller_facts(parts: RunParts) -> dict:
    """C and how the game squashes its outputs, where the page can do that."""
    squash = squash_table(parts.task)
    if parts.agent is None or squash is None:
        return {"controller": None}
    agent, parameters = parts.agent
    return {"controller": controller_parts(agent.controller, parameters), "squash": squash}
