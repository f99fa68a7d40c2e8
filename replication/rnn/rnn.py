"""M: the MDN-RNN (World Models, A.2), an LSTM and a mixture density head.

h_{t+1}, c_{t+1} = LSTM([z_t, a_t], h_t, c_t);  p(z_{t+1}) = mixture(h_{t+1}): every dimension of z
has 5 Gaussians and weights of its own. 422,368 parameters without the optional heads.
"""

import math

from replication.config import Rnn, UserError
from replication.rnn.lstm import WideCell, run_lstm
from replication.tasks.task import Task
from replication.tf import keras, tf, tfp

import numpy as np
from scipy import special

layers = keras.layers

tfd = tfp.distributions

LEAST = 1e-6  # of the mean of a count: one that M is sure of can yet be wrong


def mixture(
    raw, z_size: int, temperature: float = 1.0, component: int | None = None
) -> tfd.MixtureSameFamily:
    """The head's output (..., Z * 3 * K) as a distribution over z, batch shape (..., Z).

    A temperature divides the log-weights and multiplies the standard deviations by its root. With
    a component, 0..K-1, that one has all the weight in every dimension (Ellefsen et al. 2019).
    """
    logpi, mu, logsigma = mixture_parameters(raw, z_size)
    logpi /= temperature
    if component is not None:
        alone = tf.one_hot(component, tf.shape(logpi)[-1])  # (K,)
        logpi = tf.math.log(tf.broadcast_to(alone, tf.shape(logpi)))
    return tfd.MixtureSameFamily(
        tfd.Categorical(logits=logpi),
        tfd.Normal(mu, tf.exp(logsigma) * temperature**0.5),
    )


def mixture_parameters(raw, z_size: int):
    """logpi (not normalised), mu, logsigma of the head's output: each (..., Z, K)."""
    raw = tf.reshape(raw, tf.concat([tf.shape(raw)[:-1], [z_size, -1]], axis=0))  # (..., Z, 3K)
    return tf.split(raw, 3, axis=-1)


def told_logvar(logvar, config: Rnn):
    """The log-variance of z as M is told it: V's own (..., Z), or a number, of a small noise."""
    if config.z == "sample":
        return logvar
    return 2 * math.log(config.z_noise) if config.z_noise else -math.inf


def heads_of(config: Rnn, task: Task) -> list[str]:
    """The names in --rnn.heads; UserError for one that the task has not."""
    names = [] if config.heads == "none" else config.heads.split(",")
    for name in names:
        if name not in task.heads:
            known = ", ".join(sorted(task.heads))
            raise UserError(f"--rnn.heads {config.heads}: {task.name} has {known}")
    return list(dict.fromkeys(names))


def _event(logit) -> tfd.Distribution:
    return tfd.Bernoulli(logits=logit, dtype=tf.float32)


def _number(mean) -> tfd.Distribution:
    return tfd.Normal(mean, 1.0)


def _count(raw) -> tfd.Distribution:
    return tfd.Poisson(tf.nn.softplus(raw) + LEAST)


KINDS = {"event": _event, "number": _number, "count": _count}
MEANS = {
    "event": special.expit,
    "number": lambda raw: raw,
    "count": lambda raw: np.logaddexp(raw, np.float32(0)),
}


class MDNRNN(keras.Model):
    """M and its loss, the mean negative log-likelihood of a scalar of z_{t+1}, in nats."""

    def __init__(self, config: Rnn, task: Task):
        super().__init__(name="mdn_rnn")
        self.config, self.task = config, task
        # Deviation: the original adds a forget bias of 1 to the gate; here the bias starts at 1
        self.lstm = layers.LSTM(
            config.hidden, unit_forget_bias=True, return_sequences=True, return_state=True
        )
        self.head = layers.Dense(task.z_size * 3 * config.mixtures, name="mixture")
        self.heads = {name: layers.Dense(1, name=name) for name in heads_of(config, task)}
        names = ("loss", "nll", *self.heads)
        self.trackers = {name: keras.metrics.Mean(name) for name in names}
        self.lstm.build((None, None, task.z_size + task.action_size + task.tells_restart))
        for head in (self.head, *self.heads.values()):
            head.build((None, None, config.hidden))
        self.built = True

    @property
    def metrics(self):
        return list(self.trackers.values())

    def call(self, z, action, restart=None, state=None):
        """h_{1..T} (B, T, H) and the last (h, c), (B, H) each, as an episode goes on.

        z (B, T, Z), action (B, T, A); restart (B, T): 1 at an episode's first step, None: at no
        step; state: h, c (B, H) each, None: 0.
        """
        outputs, h, c = run_lstm(self.lstm, self._told(z, action, restart), state)
        return outputs, (h, c)

    def step(self, z, action, h, c, restart=None, cell: WideCell | None = None):
        """One step of the LSTM: z_t (B, Z), a_t (B, A), h_t, c_t (B, H) -> h_{t+1}, c_{t+1}.

        restart (B,): 1 in rows where t is an episode's first step, None: nowhere. cell: this M's,
        made outside of a loop; None: a new one.
        """
        cell = cell or WideCell(self.lstm.cell)
        return cell(self._told(z, action, restart), h, c)

    @tf.autograph.experimental.do_not_convert  # which would write files
    def _told(self, z, action, restart):
        """The LSTM's input (..., Z + A), in some games with the restart behind it."""
        if not self.task.tells_restart:
            return tf.concat([z, action], axis=-1)
        if restart is None:
            restart = tf.zeros(tf.shape(z)[:-1])
        return tf.concat([z, action, tf.cast(restart, tf.float32)[..., None]], axis=-1)

    def predict_z(self, h) -> tfd.MixtureSameFamily:
        """p(z_{t+1}) given h_{t+1} (..., H)."""
        return mixture(self.head(h), self.task.z_size)

    def predict_heads(self, h) -> dict[str, tfd.Distribution]:
        """What the other heads say of a_t, by name, given h_{t+1} (..., H): batch shape (...,)."""
        return {
            name: KINDS[self.task.heads[name].kind](head(h)[..., 0])
            for name, head in self.heads.items()
        }

    def expectations(self, raw: np.ndarray) -> dict[str, np.ndarray]:
        """What is expected of a_t, by head, float32 (B,): of what the heads put out, raw (B, N)."""
        return {
            name: MEANS[self.task.heads[name].kind](values)
            for name, values in zip(self.heads, raw.T, strict=True)
        }

    def losses_of(self, batch: dict) -> dict:
        """Losses over the steps that are not padding.

        batch: z (B, T+1, Z), action (B, T+1, A), restart, weight and head_weight (B, T), and of
        each head its target and its weight there (B, T, 2), as batches.py makes it.
        """
        h, _ = self(batch["z"][:, :-1], batch["action"][:, :-1], batch["restart"])  # (B, T, H)
        weight = batch["weight"]  # (B, T)
        nll = -self.predict_z(h).log_prob(batch["z"][:, 1:])  # (B, T, Z)
        losses = {"nll": _mean(tf.reduce_mean(nll, axis=-1), weight)}
        for name, prediction in self.predict_heads(h).items():
            target, counts = tf.unstack(batch[name], axis=-1)  # (B, T) each
            losses[name] = _mean(-prediction.log_prob(target) * counts, batch["head_weight"])
        return losses | {"loss": tf.add_n(list(losses.values()))}

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            losses = self.losses_of(batch)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(losses["loss"], variables), variables)
        return self._track(losses, batch)

    def _track(self, losses: dict, batch: dict) -> dict:
        steps = tf.reduce_sum(batch["weight"])  # batches of short episodes weigh less
        for name, value in losses.items():
            self.trackers[name].update_state(value, sample_weight=steps)
        return {name: tracker.result() for name, tracker in self.trackers.items()}


def _mean(values, weight):
    return tf.reduce_sum(values * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)
