"""M's dream: z_{t+1} is drawn from what M predicts, again and again (World Models, 4 and A.2).

The timeline is that of rollouts and training: h_{t+1} = LSTM([z_t, a_t], h_t), and z_{t+1} is drawn
from M's mixture at h_{t+1}; what a_t earned, and whether it ended the dream, is read off h_{t+1}.

NumPy and compiled code, as TensorFlow costs more than the arithmetic here (docs/performance.md).
"""

from typing import Literal, NamedTuple

from replication.rnn import dream_kernels as kernels
from replication.rnn.dream_kernels import LANES
from replication.rnn.rnn import MDNRNN, told_logvar

import numpy as np

Ends = Literal["likely", "drawn"]  # when M gives the end half a chance; or by lot
CAP_FIRST = 3.0  # ours


class Starts(NamedTuple):
    """States that dreams start from, N of them: frames as V sees them, and M's memory there."""

    mu: np.ndarray  # float32 (N, Z)
    logvar: np.ndarray  # float32 (N, Z)
    h: np.ndarray | None = None  # float32 (N, H); None: 0, as at the first frame of an episode
    c: np.ndarray | None = None
    restart: np.ndarray | None = None  # bool (N,): first frames of episodes; None: where h is 0


class Weights(NamedTuple):
    """M's weights as dreams use them: an output a row."""

    gates: np.ndarray  # float32 (4H, inputs + H)
    gates_bias: np.ndarray  # float32 (4H, 1)
    out: np.ndarray  # float32 (3 * K * Z + heads, H): logpi, mu, logsigma by component; heads
    out_bias: np.ndarray  # float32 (3 * K * Z + heads, 1)


def weights_of(rnn: MDNRNN) -> Weights:
    """M's weights, put in order for dreams."""
    kernel, recurrent, bias = rnn.lstm.get_weights()
    weight, head_bias = rnn.head.get_weights()  # (H, Z * 3 * K)
    by_component = np.arange(len(head_bias)).reshape(rnn.task.z_size, 3, -1)
    order = by_component.transpose(1, 2, 0).reshape(-1)  # (3 * K * Z,)
    out, out_bias = [weight.T[order]], [head_bias[order]]
    for head in rnn.heads.values():
        out.append(head.get_weights()[0].T)
        out_bias.append(head.get_weights()[1])
    return Weights(
        np.ascontiguousarray(np.concatenate([kernel, recurrent]).T),
        bias[:, None],
        np.ascontiguousarray(np.concatenate(out)),
        np.concatenate(out_bias)[:, None],
    )


def rows_of(blocks: np.ndarray) -> np.ndarray:
    """(G, F, LANES) as one row for each of the G * LANES: a copy (G * LANES, F)."""
    rows = blocks.swapaxes(1, 2).copy()
    return rows.reshape(len(blocks) * LANES, blocks.shape[1])


class Dreams:
    """B dreams stepped together; no row sees another.

    All random numbers of a dream follow from its key, equally many a step whatever heads M has.
    Products are made for LANES rows at a time: for this shape OpenBLAS treats all rows alike, so
    a dream does not depend on its row, nor on what is dreamt beside it. A test holds this.
    """

    def __init__(
        self,
        rnn: MDNRNN,
        starts: Starts,
        temperature: float = 1.0,
        width: int = 1,
        component: int | None = None,
        cap: float = 0.0,
        excess: float = 0.0,
    ):
        """component: the only one of M's Gaussians, 0..K-1, that z is drawn from; None: all.

        cap: what a dream has earned after t steps counts up to cap * t + CAP_FIRST; 0: all of it.
        excess: times what does not count, taken off.
        """
        if not 0 < temperature < np.inf:
            raise ValueError(f"temperature {temperature}: must be positive")
        if component is not None and component not in range(rnn.config.mixtures):
            raise ValueError(f"component {component}: M has {rnn.config.mixtures}, from 0 on")
        self.rnn, self.temperature, self.width = rnn, temperature, width
        self.component, self.cap = -1 if component is None else component, cap
        self.excess = np.float32(excess)
        self.starts, self.weights = starts, weights_of(rnn)
        self._allocate(-(-width // LANES))

    def _allocate(self, blocks: int) -> None:
        task, config = self.rnn.task, self.rnn.config

        def zeros(features: int) -> np.ndarray:
            return np.zeros((blocks, features, LANES), np.float32)

        self._z, self._h, self._c = zeros(task.z_size), zeros(config.hidden), zeros(config.hidden)
        self._restart = zeros(1)
        self._inputs = zeros(self.weights.gates.shape[1])  # z, a, restart, h
        self._gates, self._out = zeros(4 * config.hidden), zeros(len(self.weights.out))
        self._uniform, self._noise = zeros(task.z_size + 1), zeros(task.z_size)
        self._keys, self._steps = (np.zeros((blocks, LANES), np.uint64) for _ in range(2))
        self._earned = np.zeros(self.width, np.float32)  # as far as it counts
        self._scratch = np.zeros((config.mixtures + 2, task.z_size * LANES), np.float32)

    @property
    def z(self) -> np.ndarray:
        """z_t of every dream: a copy, float32 (B, Z)."""
        return rows_of(self._z)[: self.width]

    @property
    def h(self) -> np.ndarray:
        """h_t of every dream: a copy, float32 (B, H)."""
        return rows_of(self._h)[: self.width]

    @property
    def c(self) -> np.ndarray:
        """c_t of every dream: a copy, float32 (B, H)."""
        return rows_of(self._c)[: self.width]

    def begin(self, row: int, key: int) -> None:
        """Start a row's dream anew, at one of the starts; key: 64 bits, from which all follows."""
        uniform, noise = first_numbers(key, self.rnn.task.z_size)
        start = int(uniform * len(self.starts.mu))
        at = divmod(row, LANES)
        place = at[0], slice(None), at[1]
        self._keys[at], self._steps[at], self._earned[row] = key, 1, 0
        mu, logvar = np.float32(self.starts.mu[start]), np.float32(self.starts.logvar[start])
        sigma = np.exp(np.float32(told_logvar(logvar, self.rnn.config)) / 2)
        self._z[place] = mu + sigma * noise
        for memory, known in ((self._h, self.starts.h), (self._c, self.starts.c)):
            memory[place] = 0 if known is None else known[start]
        first = self.starts.restart
        self._restart[place] = self.starts.h is None if first is None else first[start]

    def step(self, action: np.ndarray) -> dict[str, np.ndarray]:
        """Take a_t, float32 (B, A): z_{t+1}, h_{t+1}, c_{t+1} take the places of z_t, h_t, c_t.

        Returns what M expects of a_t by each of its heads, float32 (B,).
        """
        weights = self.weights
        self._gather_inputs(action)
        np.matmul(weights.gates, self._inputs, out=self._gates)
        self._gates += weights.gates_bias
        kernels.lstm_cell(self._gates, self._h, self._c)
        np.matmul(weights.out, self._h, out=self._out)
        self._out += weights.out_bias
        kernels.random_numbers(self._keys, self._steps, self._uniform, self._noise)
        kernels.draw_z(
            self._out, self._uniform, self._noise,
            self.temperature, self.component, self._scratch, self._z,
        )  # fmt: skip
        self._steps += np.uint64(1)
        self._restart[:] = 0
        heads = self._out[:, len(weights.out) - len(self.rnn.heads) :]  # (G, heads, LANES)
        return self.rnn.expectations(rows_of(heads)[: self.width])

    def outcome(self, action: np.ndarray, ends: Ends) -> tuple[np.ndarray, np.ndarray]:
        """Take a_t: what it earned, float32 (B,), and whether it ended its dream, bool (B,)."""
        reward, end = self.rnn.task.dream_outcome(self.step(action), self.width)
        return self._counted(reward), end > 0.5 if ends == "likely" else self.uniform < end

    def _counted(self, reward: np.ndarray) -> np.ndarray:
        """The part of a reward (B,) that counts, less what the rest of it costs."""
        if not self.cap:
            return reward
        steps = np.float32(self._steps.reshape(-1)[: self.width] - np.uint64(1))
        before, total = self._earned, self._earned + reward
        self._earned = np.minimum(total, self.cap * steps + CAP_FIRST)
        return self._earned - before - self.excess * (total - self._earned)

    @property
    def uniform(self) -> np.ndarray:
        """A number in [0, 1) for each dream, float32 (B,), that its last step did not use."""
        return self._uniform[:, -1].reshape(-1)[: self.width]

    def _gather_inputs(self, action: np.ndarray) -> None:
        task = self.rnn.task
        padded = np.zeros((self._keys.size, task.action_size), np.float32)
        padded[: self.width] = action
        blocks = padded.reshape(len(self._z), LANES, -1).swapaxes(1, 2)  # (G, A, LANES)
        parts = [self._z, blocks, *([self._restart] if task.tells_restart else []), self._h]
        np.concatenate(parts, axis=1, out=self._inputs)


def first_numbers(key: int, size: int) -> tuple[float, np.ndarray]:
    """What a dream begins with: a number in [0, 1) and noise (size,), of its step 0."""
    keys = np.full((1, LANES), key, np.uint64)
    uniform = np.zeros((1, size + 1, LANES), np.float32)
    noise = np.zeros((1, size, LANES), np.float32)
    kernels.random_numbers(keys, np.zeros_like(keys), uniform, noise)
    return float(uniform[0, -1, 0]), noise[0, :, 0]
