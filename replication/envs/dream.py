"""The dream: M as an environment, seen through V's decoder (World Models, 4 and A.2).

    env = DreamEnv(agent.load_rnn(run), mu, logvar, temperature=0.7)

dream.py drives C in it, or you with the arrow keys. The timeline is that of rollouts and training:
h_{t+1} = LSTM([z_t, a_t], h_t), and z_{t+1} is drawn from M's mixture at h_{t+1}.
"""

from replication.config import Z_SIZE
from replication.controller.actions import HIGH, LOW
from replication.rnn.rnn import MDNRNN
from replication.tf import keras, tf
from replication.vae.vae import sample_z, to_bytes

import numpy as np
from gymnasium import Env, spaces

FPS = 50  # of CarRacing: a step of the dream is a frame


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


def decode(decoder: keras.Model, z, batch: int = 250) -> np.ndarray:
    """z (T, Z) -> the frames that V makes of it, uint8 (T, 64, 64, 3)."""
    parts = [to_bytes(decoder(z[i : i + batch])) for i in range(0, len(z), batch)]
    return np.concatenate(parts)


class Dreams:
    """B dreams stepped together, one traced call a step; no row sees another.

    Each row draws all its random numbers from a generator of its own, equally many whatever heads
    M has, so a dream does not depend on what is dreamt beside it.
    """

    def __init__(
        self,
        rnn: MDNRNN,
        mu,
        logvar,
        temperature: float = 1.0,
        width: int = 1,
        component: int | None = None,
    ):
        """mu, logvar (N, Z): V's posterior at recorded first frames, which dreams start from.

        component: the only one of M's Gaussians, 0..K-1, that z is drawn from; None: the mixture.
        """
        if not 0 < temperature < np.inf:
            raise ValueError(f"temperature {temperature}: must be positive")
        if component is not None and component not in range(rnn.config.mixtures):
            raise ValueError(f"component {component}: M has {rnn.config.mixtures}, from 0 on")
        self.rnn, self.temperature, self.component = rnn, temperature, component
        self.mu, self.logvar = np.float32(mu), np.float32(logvar)
        self.z = np.zeros((width, Z_SIZE), np.float32)
        self.h, self.c = (np.zeros((width, rnn.config.hidden), np.float32) for _ in range(2))
        self.generators = [np.random.default_rng(row) for row in range(width)]
        self._step = tf.function(self._traced_step)

    def begin(self, row: int, generator: np.random.Generator) -> None:
        """Start a row's dream anew: z_0 of one of the first frames, h_0 = c_0 = 0."""
        first = generator.integers(len(self.mu))
        noise = generator.standard_normal(Z_SIZE, np.float32)
        self.z[row] = sample_z(self.mu[first], self.logvar[first], noise)
        self.h[row] = self.c[row] = 0
        self.generators[row] = generator

    def step(self, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """a_t float32 (B, A) -> what it earned, float32 (B,), and whether it ended, bool (B,).

        z_{t+1}, h_{t+1} and c_{t+1} take the places of z_t, h_t and c_t.
        """
        uniform = [each.random(Z_SIZE + 1, np.float32) for each in self.generators]
        noise = [each.standard_normal(Z_SIZE, np.float32) for each in self.generators]
        inputs = self.z, np.float32(action), self.h, self.c, np.stack(uniform), np.stack(noise)
        z, h, c, reward, ended = (tensor.numpy() for tensor in self._step(*inputs))
        self.z[:], self.h[:], self.c[:] = z, h, c
        return reward, ended

    def _traced_step(self, z, action, h, c, uniform, noise):
        h, c = self.rnn.step(z, action, h, c)  # h_{t+1}, c_{t+1}
        mixture = self.rnn.predict_z(h, self.temperature, self.component)
        z = draw(mixture, uniform[:, :Z_SIZE], noise)  # (B, Z)
        reward, ended = tf.zeros_like(z[:, 0]), tf.zeros_like(z[:, 0], tf.bool)
        if self.rnn.reward_head is not None:
            reward = self.rnn.predict_reward(h).mean()  # (B,)
        if self.rnn.end_head is not None:
            ended = uniform[:, Z_SIZE] < self.rnn.predict_end(h).probs_parameter()  # (B,)
        return z, h, c, reward, ended


class DreamEnv(Env):
    """One dream as a gymnasium environment; how long it may last is for TimeLimit to say.

    Observations are z, float32 (32,), or with `frames` what V's decoder makes of it, uint8
    (64, 64, 3). Rewards and ends are M's where it has heads for them, else 0 and never.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": FPS}

    def __init__(
        self,
        rnn: MDNRNN,
        mu: np.ndarray,
        logvar: np.ndarray,
        decoder: keras.Model | None = None,
        frames: bool = False,
        temperature: float = 1.0,
        render_mode: str | None = None,
        component: int | None = None,
    ):
        """mu, logvar (N, Z): V's posterior at recorded first frames, which dreams start from.

        component: the only one of M's Gaussians, 0..K-1, that z is drawn from; None: the mixture.
        """
        if decoder is None and (frames or render_mode):
            raise ValueError("frames need V's decoder")
        self.dreams = Dreams(rnn, mu, logvar, temperature, component=component)
        self.decoder, self.frames, self.render_mode = decoder, frames, render_mode
        self.action_space = spaces.Box(LOW, HIGH)
        self.observation_space = (
            spaces.Box(0, 255, (64, 64, 3), np.uint8)
            if frames
            else spaces.Box(-np.inf, np.inf, (Z_SIZE,), np.float32)
        )

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.dreams.begin(0, self.np_random)
        return self._observation(), {}

    def step(self, action: np.ndarray):
        (reward,), (ended,) = self.dreams.step(action[None])
        return self._observation(), float(reward), bool(ended), False, {}

    def render(self) -> np.ndarray | None:
        """The dream's frame as V decodes it, uint8 (64, 64, 3)."""
        return self._frame() if self.render_mode == "rgb_array" else None

    def _observation(self) -> np.ndarray:
        return self._frame() if self.frames else self.dreams.z[0].copy()

    def _frame(self) -> np.ndarray:
        return decode(self.decoder, self.dreams.z)[0]
