"""M: the MDN-RNN (World Models, A.2), an LSTM and a mixture density head.

h_{t+1}, c_{t+1} = LSTM([z_t, a_t], h_t, c_t);  p(z_{t+1}) = mixture(h_{t+1}): every dimension of z
has 5 Gaussians and weights of its own. 422,368 parameters without the optional heads.
"""

from replication.config import Rnn
from replication.tasks.task import Task
from replication.tf import keras, tf, tfp

layers = keras.layers

tfd = tfp.distributions


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


# What else M may predict from h_{t+1}: the head's output (...,) -> a distribution.
HEADS = {
    "reward": lambda raw: tfd.Normal(raw, 1.0),  # what a_t earned
    "termination": lambda logit: tfd.Bernoulli(logits=logit, dtype=tf.float32),  # did a_t end it?
}
TARGETS = {"reward": "reward", "termination": "terminated"}  # what of a batch a head learns


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
        wanted = {"reward": config.reward_head, "termination": config.termination_head}
        self.heads = {name: layers.Dense(1, name=name) for name, has in wanted.items() if has}
        names = ("loss", "nll", *self.heads)
        self.trackers = {name: keras.metrics.Mean(name) for name in names}
        self.lstm.build((None, None, task.z_size + task.action_size))
        for head in (self.head, *self.heads.values()):
            head.build((None, None, config.hidden))
        self.built = True

    @property
    def metrics(self):
        return list(self.trackers.values())

    def call(self, z, action, state=None):
        """z (B, T, Z), action (B, T, A), state h, c (B, H) each -> h_{1..T} (B, T, H), (h, c)."""
        outputs, h, c = self.lstm(tf.concat([z, action], axis=-1), initial_state=state)
        return outputs, (h, c)

    def step(self, z, action, h, c):
        """One step of the LSTM: z_t (B, Z), a_t (B, A), h_t, c_t (B, H) -> h_{t+1}, c_{t+1}."""
        return self.lstm.cell(tf.concat([z, action], axis=-1), [h, c])[1]

    def predict_z(
        self, h, temperature: float = 1.0, component: int | None = None
    ) -> tfd.MixtureSameFamily:
        """p(z_{t+1}) given h_{t+1} (..., H)."""
        return mixture(self.head(h), self.task.z_size, temperature, component)

    def predict_heads(self, h) -> dict[str, tfd.Distribution]:
        """What the other heads say of a_t, by name, given h_{t+1} (..., H): batch shape (...,)."""
        return {name: HEADS[name](head(h)[..., 0]) for name, head in self.heads.items()}

    def losses_of(self, batch: dict) -> dict:
        """Losses over the steps that are not padding.

        batch: z (B, T+1, Z), action (B, T+1, A), reward, terminated, weight and head_weight (B, T),
        as batches.py makes it.
        """
        h, _ = self(batch["z"][:, :-1], batch["action"][:, :-1])  # (B, T, H)
        weight = batch["weight"]  # (B, T)
        nll = -self.predict_z(h).log_prob(batch["z"][:, 1:])  # (B, T, Z)
        losses = {"nll": _mean(tf.reduce_mean(nll, axis=-1), weight)}
        for name, prediction in self.predict_heads(h).items():
            target, head_weight = batch[TARGETS[name]], batch["head_weight"]
            losses[name] = _mean(-prediction.log_prob(target), head_weight)
        return losses | {"loss": tf.add_n(list(losses.values()))}

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            losses = self.losses_of(batch)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(losses["loss"], variables), variables)
        return self._track(losses, batch)

    def test_step(self, batch):
        return self._track(self.losses_of(batch), batch)

    def _track(self, losses: dict, batch: dict) -> dict:
        steps = tf.reduce_sum(batch["weight"])  # batches of short episodes weigh less
        for name, value in losses.items():
            self.trackers[name].update_state(value, sample_weight=steps)
        return {name: tracker.result() for name, tracker in self.trackers.items()}


def _mean(values, weight):
    return tf.reduce_sum(values * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)
