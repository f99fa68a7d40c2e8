"""Agents of random weights: in memory, and in a run's folder as the stages leave them."""

import dataclasses
from pathlib import Path

from replication import training
from replication.config import Rnn
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts
from replication.runs import files
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tasks.task import Task
from replication.tf import keras
from replication.vae.vae import build_decoder, build_encoder

import numpy as np

GAME = {"task": "car_racing_v3", "frames": "plain"}
RUN = GAME | {"preset": "quick", "vision": "vae", "data": "mine"}  # config.json's


def random_parts(
    config: Rnn, mode: str = "z_h", z: str = "sample", task: Task = CAR_RACING_V3
) -> AgentParts:
    """V and M of random weights."""
    keras.utils.set_random_seed(0)
    encoder, rnn = build_encoder(task.z_size), MDNRNN(config, task)
    return AgentParts(task, encoder.get_weights(), rnn.get_weights(), config, mode, z)


def random_controllers(parts: AgentParts, count: int, scale: float = 0.1) -> np.ndarray:
    """Flat vectors float32 (count, P)."""
    size = count, parts.controller.parameter_count
    return np.float32(scale * np.random.default_rng(5).standard_normal(size))


def numpy_act(flat: np.ndarray, x: np.ndarray) -> np.ndarray:
    """a_t of a linear C that sees x (I,): biases first, then a row for each input."""
    u = np.tanh(x @ flat[3:].reshape(len(x), 3) + flat[:3])
    return np.array([u[0], (u[1] + 1) / 2, max(u[2], 0)])


def write_agent(folder: Path, rnn: MDNRNN) -> None:
    """A run's config.json, V of random weights, this M, and a C of random weights that sees z, h.

    vae/, rnn/ and controller/ are made here.
    """
    for name in ("vae", "rnn", "controller"):
        (folder / name).mkdir(parents=True)
    files.write_json(folder / "config.json", {"run": RUN})
    keras.utils.set_random_seed(0)
    encoder, decoder = build_encoder(rnn.task.z_size), build_decoder(rnn.task.z_size)
    training.save_weights(encoder, folder / "vae" / "encoder.weights.h5")
    training.save_weights(decoder, folder / "vae" / "decoder.weights.h5")
    training.save_weights(rnn, folder / "rnn" / "rnn.weights.h5")
    files.write_json(folder / "rnn" / "rnn.json", dataclasses.asdict(rnn.config))
    parts = AgentParts(rnn.task, encoder.get_weights(), rnn.get_weights(), rnn.config, "z_h")
    (flat,) = random_controllers(parts, 1)
    best = {"mode": "z_h", "z": "sample", "parameters": flat.tolist()}
    files.write_json(folder / "controller" / "best.json", best)
