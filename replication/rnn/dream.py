"""M's dream: z_{t+1} is drawn from what M predicts, again and again (World Models, 4 and A.2).

The timeline is that of rollouts and training: h_{t+1} = LSTM([z_t, a_t], h_t), and z_{t+1} is drawn
from M's mixture at h_{t+1}; what a_t earned, and whether it ended the dream, is read off h_{t+1}.
"""

from typing import NamedTuple

from replication.rnn.rnn import MDNRNN
from replication.tf import tf
from replication.vae.vae import sample_z

import numpy as np


class Starts(NamedTuple):
    """States that dreams start from, N of them: frames as V sees them, and M's memory there."""

    mu: np.ndarray  # float32 (N, Z)
    logvar: np.ndarray  # float32 (N, Z)
    h: np.ndarray | None = None  # float32 (N, H); None: 0, as at the first frame of an episode
    c: np.ndarray | None = None


def draw(distribution, uniform, noise):
    """A sample of M's mixture, made of given random numbers.

    distribution: MDNRNN.predict_z's, batch shape (B, Z); uniform (B, Z) in [0, 1) chooses the
    component, by inversion, and noise (B, Z) ~ N(0, I) the value. Returns z (B, Z).
    """
    below = tf.cumsum(distribution.mixture_distribution.probs_parameter(), axis=-1)  # (B, Z, K)
    passed = tf.cast(below[..., :-1] <= uniform[..., None], tf.int32)  # (B, Z, K - 1)
    component = tf.reduce_sum(passed, axis=-1)  # (B, Z)
    normal = distribution.components_distribution
    mu, sigma = (tf.gather(x, component, batch_dims=2) for x in (normal.loc, normal.scale))
    return sample_z(mu, 2 * tf.math.log(sigma), noise)


class Dreams:
    """B dreams stepped together, one traced call a step; no row sees another.

    Each row draws all its random numbers from a generator of its own, equally many whatever heads
    M has, so a dream does not depend on what is dreamt beside it.
    """

    def __init__(
        self,
        rnn: MDNRNN,
        starts: Starts,
        temperature: float = 1.0,
        width: int = 1,
        component: int | None = None,
    ):
        """component: the only one of M's Gaussians, 0..K-1, that z is drawn from; None: all."""
        if not 0 < temperature < np.inf:
            raise ValueError(f"temperature {temperature}: must be positive")
        if component is not None and component not in range(rnn.config.mixtures):
            raise ValueError(f"component {component}: M has {rnn.config.mixtures}, from 0 on")
        self.rnn, self.temperature, self.component = rnn, temperature, component
        self.starts, self.z_size = starts, rnn.task.z_size
        self.z = np.zeros((width, self.z_size), np.float32)
        self.h, self.c = (np.zeros((width, rnn.config.hidden), np.float32) for _ in range(2))
        self.generators = [np.random.default_rng(row) for row in range(width)]
        self._step = tf.function(self._traced_step)

    def begin(self, row: int, generator: np.random.Generator) -> None:
        """Start a row's dream anew, at one of the starts."""
        start = generator.integers(len(self.starts.mu))
        noise = generator.standard_normal(self.z_size, np.float32)
        mu, logvar = np.float32(self.starts.mu[start]), np.float32(self.starts.logvar[start])
        self.z[row] = sample_z(mu, logvar, noise)
        self.h[row] = 0 if self.starts.h is None else self.starts.h[start]
        self.c[row] = 0 if self.starts.c is None else self.starts.c[start]
        self.generators[row] = generator

    def step(self, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """a_t float32 (B, A) -> what it earned, float32 (B,), and whether it ended, bool (B,).

        z_{t+1}, h_{t+1} and c_{t+1} take the places of z_t, h_t and c_t.
        """
        uniform = [random.random(self.z_size + 1, np.float32) for random in self.generators]
        noise = [random.standard_normal(self.z_size, np.float32) for random in self.generators]
        inputs = self.z, np.float32(action), self.h, self.c, np.stack(uniform), np.stack(noise)
        z, h, c, reward, ended = (tensor.numpy() for tensor in self._step(*inputs))
        self.z[:], self.h[:], self.c[:] = z, h, c
        return reward, ended

    def _traced_step(self, z, action, h, c, uniform, noise):
        h, c = self.rnn.step(z, action, h, c)  # h_{t+1}, c_{t+1}
        mixture = self.rnn.predict_z(h, self.temperature, self.component)
        z = draw(mixture, uniform[:, : self.z_size], noise)  # (B, Z)
        outcome = self.rnn.task.dream_outcome(self.rnn.predict_heads(h), uniform[:, self.z_size])
        return z, h, c, outcome.reward, outcome.ended
