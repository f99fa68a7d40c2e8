"""Print what a tiny V, M, VAE-GAN, CMA-ES, frame and dream come to, to the last bit.

    python tests/support/small_numbers.py

tests/test_settings.py compares it with and without a user's global settings.
"""

import json

from replication.config import Controller, Rnn, Vae, Vaegan
from replication.controller.controller import LinearPolicy
from replication.rnn.dream import Starts
from replication.rnn.rnn import MDNRNN
from replication.rollouts.dream_controllers import DreamControllers
from replication.rollouts.dream_world import DreamWorld
from replication.rollouts.loop import Trial, drive
from replication.search.cma_es import Evolution
from replication.tasks.car_frames import to_frame
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tf import keras, tf
from replication.vae.vae import VAE
from replication.vae.vaegan import VAEGAN

import numpy as np

STEPS = 2


def fitted(model: keras.Model, batch, *optimizers) -> list[str]:
    """A few steps on one batch; then the logged values and a sum of all weights."""
    model.compile(*optimizers or [keras.optimizers.Adam(1e-3)])
    data = tf.data.Dataset.from_tensors(batch).repeat()
    logs = model.fit(data, epochs=2, steps_per_epoch=STEPS, verbose=0).history
    weights = sum(float(np.sum(np.float64(weight))) for weight in model.get_weights())
    return [float(value).hex() for name in sorted(logs) for value in logs[name]] + [weights.hex()]


def dreamt(random: np.random.Generator) -> list[str]:
    """The actions of a random C in two dreams of a random M, and what these earn: sums."""
    rnn = MDNRNN(Rnn(hidden=64, heads="tiles"), CAR_RACING_V3)
    controller = LinearPolicy("z_h", CAR_RACING_V3, 64)
    starts = Starts(*random.normal(0, 1, (2, 3, 32)).astype(np.float32))
    world = DreamWorld(rnn, starts, width=2)
    parameters = random.normal(0, 0.3, controller.parameter_count)
    trials = [Trial(seed, parameters, max_steps=50) for seed in range(2)]
    episodes = [episode for _, episode in drive(world, DreamControllers(controller, 2), trials)]
    sums = [np.sum(np.float64(episode.actions)) for episode in episodes]
    return [float(value).hex() for value in (*sums, *(episode.total for episode in episodes))]


def main() -> None:
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    frames = random.integers(0, 256, (4, 64, 64, 3), np.uint8)
    noise = random.standard_normal((8, 32), np.float32)
    steps = {
        "z": random.standard_normal((2, 21, 32), np.float32),
        "action": random.standard_normal((2, 21, 3), np.float32),
        "weight": np.ones((2, 20), np.float32),
        "head_weight": np.ones((2, 20), np.float32),
        "restart": np.zeros((2, 20), np.float32),
    }
    es = Evolution(np.zeros(300), Controller(population=8), seed=1)
    for _ in range(2):
        es.tell(list(-np.sum(np.exp(es.ask()) ** 2, axis=1)))
    screen = random.integers(0, 256, (96, 96, 3), np.uint8)
    three = [keras.optimizers.SGD(1e-4) for _ in range(3)]
    numbers = {
        "V": fitted(VAE(Vae(), 32), (frames, noise[:4])),
        "M": fitted(MDNRNN(Rnn(hidden=64), CAR_RACING_V3), steps),
        "VAE-GAN": fitted(VAEGAN(Vaegan(width=1 / 16), 32), (frames, noise), *three),
        "CMA-ES": [float(value).hex() for value in es.mean],
        "frame": int(
            np.sum(np.int64(to_frame(screen)) * np.arange(64 * 64 * 3).reshape(64, 64, 3))
        ),
        "dream": dreamt(random),
    }
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
