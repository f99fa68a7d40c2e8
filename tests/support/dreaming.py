"""What the tests of dreams share: an M, first frames, actions, and a dream in a plain loop."""

from replication.config import Rnn
from replication.rnn.dream import Starts
from replication.rnn.rnn import MDNRNN, mixture_parameters
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tf import keras

import numpy as np
from scipy.special import softmax

Z, K = 32, 5
SMALL = Rnn(hidden=16)
HEADS = Rnn(hidden=16, heads="reward,termination")
_RANDOM = np.random.default_rng(0)
STARTS = Starts(  # seven first frames
    _RANDOM.normal(0, 1, (7, Z)).astype(np.float32),
    _RANDOM.normal(-3, 1, (7, Z)).astype(np.float32),
)
EXACT_STARTS = Starts(STARTS.mu, np.full_like(STARTS.logvar, -np.inf))  # z_0 is mu
ACTIONS = _RANDOM.uniform((-1, 0, 0), 1, (20, 3)).astype(np.float32)


def random_rnn(config: Rnn = SMALL) -> MDNRNN:
    """M with random weights; its components stand well apart."""
    keras.utils.set_random_seed(0)
    rnn = MDNRNN(config, CAR_RACING_V3)
    bias = np.random.default_rng(0).normal(0, 1.5, (Z, 3, K))
    bias[:, 2] -= 2  # logsigma
    rnn.head.bias.assign(bias.reshape(-1))
    return rnn


def is_start(z: np.ndarray) -> bool:
    """Whether z (Z,) is one of EXACT_STARTS."""
    return bool((EXACT_STARTS.mu == z).all(axis=1).any())


def bits_by_hand(key: int, count: int) -> int:
    """SplitMix64's count-th number, in Python's integers."""
    x = (key + (count + 1) * 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def numbers_by_hand(key: int, step: int, size: int = Z) -> tuple[np.ndarray, np.ndarray]:
    """What a dream draws at a step: uniform (Z + 1,) in [0, 1) and noise (Z,) ~ N(0, 1)."""
    bits = [bits_by_hand(key, step * (2 * size + 1) + i) for i in range(2 * size + 1)]
    radius = np.array([(b >> 40) + 1 for b in bits[:size]]) / 2**24
    turn = np.array([(b >> 16) % 2**24 for b in bits[:size]]) / 2**24
    noise = np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * turn)
    return np.array([b >> 40 for b in bits[size:]]) / 2**24, noise


def by_hand(
    rnn: MDNRNN,
    starts: Starts,
    actions: np.ndarray,
    key: int,
    temperature: float = 1.0,
    component: int | None = None,
) -> np.ndarray:
    """The same dream, (T + 1, Z), in a loop over M, the mixture drawn in NumPy."""
    uniform, noise = numbers_by_hand(key, 0)
    first = int(uniform[-1] * len(starts.mu))
    path = [np.float32(starts.mu[first] + np.exp(starts.logvar[first] / 2) * noise)]
    zeros = np.zeros((len(starts.mu), rnn.config.hidden), np.float32)
    h = (zeros if starts.h is None else starts.h)[first][None]
    c = (zeros if starts.c is None else starts.c)[first][None]
    for step, action in enumerate(actions, 1):
        h, c = rnn.step(path[-1][None], action[None], h, c)
        logpi, mu, logsigma = (x.numpy()[0] for x in mixture_parameters(rnn.head(h), Z))  # (Z, K)
        uniform, noise = numbers_by_hand(key, step)
        below = softmax(logpi / temperature, axis=1).cumsum(axis=1)[:, :-1]  # (Z, K - 1)
        drawn = [np.searchsorted(below[i], uniform[i], "right") for i in range(Z)]
        at = np.arange(Z), drawn if component is None else component
        path.append(np.float32(mu[at] + np.exp(logsigma[at]) * temperature**0.5 * noise))
    return np.stack(path)
