"""What a run has for its article, made up: networks of random weights, and recordings of noise."""

from pathlib import Path

from replication.article.page import make_page, render
from replication.article.recordings import Recording
from replication.article.run_parts import RunParts
from replication.config import Dream, Rnn
from replication.report.run_record import read_run
from replication.rnn.rnn import MDNRNN
from replication.rollouts.agent import AgentParts
from replication.tasks.task import Task
from replication.tf import keras
from replication.vae.vae import build_decoder, build_encoder

import numpy as np
import saved_run
from agents import random_controllers

LENGTH = 30  # frames of a recording


def make_parts(task: Task, config: Rnn, mode: str = "z_h", ends: str = "likely") -> RunParts:
    """Everything, of random weights that make lively pictures and memories."""
    keras.utils.set_random_seed(0)
    encoder, decoder = build_encoder(task.z_size), build_decoder(task.z_size)
    rnn = MDNRNN(config, task)
    for model in (decoder, rnn):
        enliven(model)
    agent = AgentParts(task, encoder.get_weights(), rnn.get_weights(), config, mode)
    (flat,) = random_controllers(agent, 1)
    recordings = [make_recording(task, number) for number in range(2)]
    dream = Dream(ends=ends)
    return RunParts(task, dream, encoder, decoder, rnn, (agent, flat), recordings, {})


def enliven(model: keras.Model) -> None:
    """Weights twice as large, and biases that are not 0."""
    random = np.random.default_rng(1)
    for weight in model.weights:
        values = (
            weight.numpy() * 2 if len(weight.shape) > 1 else random.normal(0, 0.3, weight.shape)
        )
        weight.assign(values)


def make_recording(task: Task, seed: int) -> Recording:
    """Noise, of which V is sure in some dimensions of z and not in others."""
    random = np.random.default_rng(seed)
    low, high = task.action_low, task.action_high
    return Recording(
        f"Recording {seed}",
        random.integers(0, 256, (LENGTH, 64, 64, 3), np.uint8),
        random.uniform(low, high, (LENGTH, len(low))).astype(np.float32),
        random.normal(0, 1, (LENGTH, task.z_size)).astype(np.float16),
        np.tile(np.linspace(-4, 0, task.z_size), (LENGTH, 1)).astype(np.float16),
    )


def write_page(parts: RunParts, path: Path) -> None:
    """The article of the run of saved_run.py, with these parts."""
    page = make_page(read_run(saved_run.CONFIG), parts)
    path.write_text(render(page), encoding="utf-8")
