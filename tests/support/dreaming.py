"""What the tests of dreams share: an M, first frames, actions, and a dream in a plain loop."""

from replication.config import Rnn
from replication.rnn.rnn import MDNRNN, mixture_parameters
from replication.tf import keras

import numpy as np
from scipy.special import softmax

Z, K = 32, 5
SMALL = Rnn(hidden=16)
HEADS = Rnn(hidden=16, reward_head=True, termination_head=True)
_RANDOM = np.random.default_rng(0)
STARTS = (  # mu and logvar of seven first frames
    _RANDOM.normal(0, 1, (7, Z)).astype(np.float32),
    _RANDOM.normal(-3, 1, (7, Z)).astype(np.float32),
)
ACTIONS = _RANDOM.uniform((-1, 0, 0), 1, (20, 3)).astype(np.float32)


def made(config: Rnn = SMALL) -> MDNRNN:
    """M with random weights; its components stand well apart."""
    keras.utils.set_random_seed(0)
    rnn = MDNRNN(config)
    bias = np.random.default_rng(0).normal(0, 1.5, (Z, 3, K))
    bias[:, 2] -= 2  # logsigma
    rnn.head.bias.assign(bias.reshape(-1))
    return rnn


def by_hand(
    rnn: MDNRNN, start, actions, seed: int, temperature: float = 1.0, component: int | None = None
) -> np.ndarray:
    """The same dream, (T + 1, Z), in a loop over M, the mixture drawn in NumPy."""
    random = np.random.default_rng(seed)
    first = random.integers(len(start[0]))
    mu, logvar = (each[first] for each in start)
    path = [mu + np.exp(logvar / 2) * random.standard_normal(Z, np.float32)]
    h = c = np.zeros((1, 16), np.float32)
    for action in actions:
        h, c = rnn.step(path[-1][None], action[None], h, c)
        logpi, mu, logsigma = (x.numpy()[0] for x in mixture_parameters(rnn.head(h)))  # (Z, K)
        uniform, noise = random.random(Z + 1, np.float32), random.standard_normal(Z, np.float32)
        weights = softmax(logpi / temperature, axis=1)
        below = weights.cumsum(axis=1)[:, :-1]  # (Z, K - 1)
        drawn = [np.searchsorted(below[i], uniform[i], "right") for i in range(Z)]
        at = np.arange(Z), drawn if component is None else component
        path.append(mu[at] + np.exp(logsigma[at]) * temperature**0.5 * noise)
    return np.stack(path)
