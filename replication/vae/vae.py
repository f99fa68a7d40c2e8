"""V: the convolutional variational autoencoder (World Models, A.1).

A frame (64, 64, 3) becomes z, numbers drawn from N(mu, exp(logvar)); the decoder makes a frame
of z again. 4,348,547 parameters with z of 32.
"""

from replication.config import Vae
from replication.tf import keras, tf

import numpy as np

layers = keras.layers


def sample_z(mu, logvar, noise):
    """z = mu + sigma * noise, where sigma = exp(logvar / 2); all (..., Z), noise ~ N(0, I)."""
    return mu + tf.exp(logvar / 2) * noise


def kl_divergence(mu, logvar):
    """KL(N(mu, exp(logvar)) || N(0, I)) of each dimension, in nats: (..., Z) -> (..., Z)."""
    return -0.5 * (1 + logvar - tf.square(mu) - tf.exp(logvar))


def squared_error(obs, recon):
    """Squared error of an image, summed over its pixels and colours: (B, 64, 64, 3) -> (B,)."""
    return tf.reduce_sum(tf.square(obs - recon), axis=(1, 2, 3))


def to_float(obs):
    """Frames as they are stored, uint8 0..255, to what the networks see: float32 0..1."""
    return tf.cast(obs, tf.float32) / 255.0


def to_bytes(recon):
    """What the decoder gives, float32 0..1, to frames as they are stored: uint8 0..255."""
    return np.uint8(np.round(np.asarray(recon) * 255))


def decode(decoder: keras.Model, z, batch: int = 250) -> np.ndarray:
    """z (T, Z) -> the frames that V makes of it, uint8 (T, 64, 64, 3)."""
    parts = [to_bytes(decoder(z[i : i + batch])) for i in range(0, len(z), batch)]
    return np.concatenate(parts)


@keras.saving.register_keras_serializable("replication")
class OnePixelDeconv(layers.Conv2DTranspose):
    """A transposed convolution of a single pixel, done as the one matrix product that it is."""

    def call(self, x):
        """(B, 1, 1, in) -> (B, kernel, kernel, filters); on a CPU four times as fast as Keras'."""
        height, width, filters, channels = self.kernel.shape
        kernel = tf.reshape(self.kernel, (-1, channels))  # (kernel * kernel * filters, in)
        y = tf.matmul(x[:, 0, 0], kernel, transpose_b=True)
        return self.activation(tf.reshape(y, (-1, height, width, filters)) + self.bias)


def build_encoder(z_size: int) -> keras.Model:
    """Frames float32 0..1 (B, 64, 64, 3) -> mu, logvar, each (B, Z)."""
    obs = x = keras.Input((64, 64, 3))
    for filters in (32, 64, 128, 256):  # (B, 31, 31, 32), (B, 14, ..), (B, 6, ..), (B, 2, 2, 256)
        x = layers.Conv2D(filters, 4, strides=2, activation="relu")(x)
    x = layers.Flatten()(x)  # (B, 1024)
    mu, logvar = layers.Dense(z_size, name="mu")(x), layers.Dense(z_size, name="logvar")(x)
    return keras.Model(obs, [mu, logvar], name="encoder")


def build_decoder(z_size: int) -> keras.Model:
    """z (B, Z) -> frames float32 0..1 (B, 64, 64, 3)."""
    z = keras.Input((z_size,))
    x = layers.Dense(1024)(z)
    x = layers.Reshape((1, 1, 1024))(x)
    x = OnePixelDeconv(128, 5, strides=2, activation="relu")(x)  # (B, 5, 5, 128)
    for filters, kernel in ((64, 5), (32, 6)):  # (B, 13, 13, 64), (B, 30, 30, 32)
        x = layers.Conv2DTranspose(filters, kernel, strides=2, activation="relu")(x)
    recon = layers.Conv2DTranspose(3, 6, strides=2, activation="sigmoid")(x)  # (B, 64, 64, 3)
    return keras.Model(z, recon, name="decoder")


class VAE(keras.Model):
    """V and its loss: weighted squared error + weighted KL, the KL floored at free bits."""

    def __init__(self, config: Vae, z_size: int):
        super().__init__(name="vae")
        self.config, self.z_size = config, z_size
        self.encoder, self.decoder = build_encoder(z_size), build_decoder(z_size)
        self.trackers = {name: keras.metrics.Mean(name) for name in ("loss", "recon", "kl")}
        self.built = True

    @property
    def metrics(self):
        return list(self.trackers.values())

    def call(self, batch):
        """Frames uint8 (B, 64, 64, 3), noise (B, Z) -> reconstructions, mu, logvar."""
        obs, noise = batch
        mu, logvar = self.encoder(to_float(obs))
        return self.decoder(sample_z(mu, logvar, noise)), mu, logvar

    def losses_of(self, batch) -> dict:
        """The loss and its two terms, unweighted: means over the batch."""
        recon, mu, logvar = self(batch)
        kl = tf.reduce_sum(kl_divergence(mu, logvar), axis=1)  # (B,)
        recon = tf.reduce_mean(squared_error(to_float(batch[0]), recon))
        kl = tf.reduce_mean(tf.maximum(kl, self.config.free_bits * self.z_size))
        loss = self.config.recon_weight * recon + self.config.kl_weight * kl
        return {"loss": loss, "recon": recon, "kl": kl}

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            terms = self.losses_of(batch)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(terms["loss"], variables), variables)
        return self._track(terms)

    def _track(self, terms: dict) -> dict:
        for name, value in terms.items():
            self.trackers[name].update_state(value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}
