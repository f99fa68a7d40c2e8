"""What the training steps of V and M process in a second."""

import time

from replication.config import Rnn, Vae
from replication.rnn.rnn import MDNRNN
from replication.tasks.task import Task
from replication.tf import keras, tf
from replication.vae.vae import VAE

import numpy as np

ROWS, STEPS = 64, 249  # M's batch


def measure_training(task: Task, rounds: int = 3) -> list[dict]:
    """On as many threads as TensorFlow has here; M with batches of 64 x 249 steps."""
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (100, 64, 64, 3), np.uint8)
    vae = VAE(Vae(), task.z_size)
    vae.compile(optimizer=keras.optimizers.Adam(1e-4))
    noise = random.standard_normal((100, task.z_size), np.float32)
    rnn = MDNRNN(Rnn(), task)
    rnn.compile(optimizer=keras.optimizers.Adam(1e-3, clipvalue=1.0))
    sequences = {
        "z": random.standard_normal((ROWS, STEPS + 1, task.z_size), np.float32),
        "action": random.standard_normal((ROWS, STEPS + 1, task.action_size), np.float32),
        "weight": np.ones((ROWS, STEPS), np.float32),
        "restart": np.zeros((ROWS, STEPS), np.float32),
    }
    v = _rate(vae, (frames, noise), 100, rounds)
    m = _rate(rnn, sequences, ROWS * STEPS, rounds)
    return [
        {"name": "V, training", "images_per_second": v},
        {"name": "M, training", "tokens_per_second": m},
    ]


def _rate(model: keras.Model, batch, items: int, rounds: int) -> float:
    data = tf.data.Dataset.from_tensors(batch).repeat()
    model.fit(data, steps_per_epoch=1, verbose=0, shuffle=False)
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        model.fit(data, steps_per_epoch=2, verbose=0, shuffle=False)
        seconds.append(time.perf_counter() - start)
    return 2 * items / float(np.median(seconds))
