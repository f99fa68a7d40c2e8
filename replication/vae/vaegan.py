"""V as a VAE-GAN: what is alike is judged by a discriminator, not pixel by pixel.

Larsen et al. 2015 (arXiv 1512.09300), and the report, section 3. Encoder and decoder are the
VAE's networks; only what they learn from differs. Three losses move three sets of variables:

    encoder        KL + similarity
    decoder        gamma * similarity - GAN
    discriminator  GAN

where GAN = -log D(x) - log(1 - D(Dec(Enc(x)))) - log(1 - D(Dec(z))), z ~ N(0, I), and similarity is
the negative Gaussian log-likelihood, of unit variance, of what D sees in x given what it sees in
the reconstruction, and recon_weight times their squared error is added to it (0 in Larsen). All
are means over the batch.
"""

from replication.config import Vaegan
from replication.tf import keras, tf
from replication.vae.vae import (
    build_decoder,
    build_encoder,
    kl_divergence,
    sample_z,
    squared_error,
    to_float,
)

layers = keras.layers
KINDS = ("real", "reconstructed", "sampled")
LOGGED = (
    *("encoder", "decoder", "discriminator", "similarity", "kl", "gan", "recon"),
    *(f"accuracy_{kind}" for kind in KINDS),
    *("encoder_norm", "decoder_norm", "discriminator_norm", "decoder_moves", "discriminator_moves"),
)


def build_discriminator(width: float = 1.0) -> keras.Model:
    """Frames float32 0..1 (B, 64, 64, 3) -> logits (B,), and what the last convolution sees.

    The latter (B, 8, 8, 256) before normalisation and relu. width: times the layers' units.
    """
    units = {size: max(1, round(size * width)) for size in (32, 128, 256, 512)}
    obs = keras.Input((64, 64, 3))
    x = layers.Rescaling(2.0, -1.0)(obs)  # -1..1, as Larsen's frames
    x = layers.Conv2D(units[32], 5, padding="same", activation="relu")(x)  # (B, 64, 64, 32)
    for size in (128, 256, 256):  # (B, 32, 32, 128), (B, 16, 16, 256), (B, 8, 8, 256)
        seen = layers.Conv2D(units[size], 5, strides=2, padding="same", use_bias=False)(x)
        x = normalised(seen)
    x = layers.Dense(units[512], use_bias=False)(layers.Flatten()(x))
    logit = layers.Dense(1)(normalised(x))
    return keras.Model(obs, [layers.Reshape(())(logit), seen], name="discriminator")


def normalised(x):
    """Batch normalisation as in Larsen's code, and relu."""
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-6)(x))


def dissimilarity(seen, seen_again):
    """-log N(seen | seen_again, I) without its constant: (B, 8, 8, F) twice -> (B,)."""
    return tf.reduce_sum(tf.square(seen - seen_again), axis=(1, 2, 3)) / 2


def cross_entropies(real, reconstructed, sampled) -> list:
    """-log D(x) where x is real and -log(1 - D(x)) where it is made: logits (B,) -> three means."""
    costs = tf.nn.softplus(-real), tf.nn.softplus(reconstructed), tf.nn.softplus(sampled)
    return [tf.reduce_mean(cost) for cost in costs]


def who_moves(real, made, equilibrium: float, margin: float):
    """Whether decoder and discriminator take a step, by D's mean cross-entropies on the batch.

    The side that is ahead rests: D while one of them is below equilibrium - margin, the decoder
    while one is above equilibrium + margin; where both would rest, both step. Larsen's code,
    github.com/andersbll/autoencoding_beyond_pixels, model/aegan.py.
    """
    d_ahead = tf.minimum(real, made) < equilibrium - margin
    decoder_ahead = tf.maximum(real, made) > equilibrium + margin
    both = tf.logical_and(d_ahead, decoder_ahead)
    rest = tf.logical_not(d_ahead), tf.logical_not(decoder_ahead)
    return tf.logical_or(both, rest[1]), tf.logical_or(both, rest[0])


class VAEGAN(keras.Model):
    """Encoder, decoder and discriminator, each with its own loss and optimizer."""

    def __init__(self, config: Vaegan, z_size: int):
        super().__init__(name="vaegan")
        self.config, self.z_size = config, z_size
        self.encoder, self.decoder = build_encoder(z_size), build_decoder(z_size)
        self.discriminator = build_discriminator(self.config.width)
        self.trackers = {name: keras.metrics.Mean(name) for name in LOGGED}
        self.built = True

    def compile(self, encoder, decoder, discriminator):
        """An optimizer for each of the three."""
        super().compile(optimizer=None)
        self.optimizers = {"encoder": encoder, "decoder": decoder, "discriminator": discriminator}
        for name, optimizer in self.optimizers.items():
            optimizer.build(getattr(self, name).trainable_variables)

    @property
    def metrics(self):
        return list(self.trackers.values())

    def pixel_losses(self, batch) -> dict:
        """Squared error and KL as the VAE's, frames (B, 64, 64, 3) and noise (B, Z): means."""
        obs = to_float(batch[0])
        mu, logvar = self.encoder(obs)
        recon = self.decoder(sample_z(mu, logvar, batch[1]))
        return {"recon": tf.reduce_mean(squared_error(obs, recon)), "kl": mean_kl(mu, logvar)}

    def train_step(self, batch):
        values, gradients = self.gradients_of(batch)
        costs = values.pop("costs")
        moves = who_moves(
            costs[0], (costs[1] + costs[2]) / 2, self.config.equilibrium, self.config.margin
        )
        moves = dict(zip(("encoder", "decoder", "discriminator"), (True, *moves), strict=True))
        for name, grads in gradients.items():
            values[f"{name}_norm"] = tf.linalg.global_norm(grads)
            self._step(name, grads, moves[name])
        values |= {f"{name}_moves": moves[name] for name in ("decoder", "discriminator")}
        for name, value in values.items():
            self.trackers[name].update_state(value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    def _step(self, name: str, grads: list, moves) -> None:
        def step():
            variables = getattr(self, name).trainable_variables
            self.optimizers[name].apply(grads, variables)
            return True

        tf.cond(tf.convert_to_tensor(moves), step, lambda: False)

    def gradients_of(self, batch) -> tuple[dict, dict]:
        """The values of a batch by name, and for each network the gradients of its own loss.

        batch: frames uint8 (B, 64, 64, 3) and noise (2 B, Z), of which one half draws z and the
        other is z from the prior. No loss reaches variables that are not its own: D's verdicts
        are differentiated once to the pixels, and from there each network gets what is its own.
        """
        obs = to_float(batch[0])
        noise, prior = tf.split(batch[1], 2)  # (B, Z) each
        with tf.GradientTape(persistent=True) as tape:
            mu, logvar = self.encoder(obs)
            # Deviation: Larsen has no floor; it keeps z in use while D has little to say.
            kl = mean_kl(mu, logvar, self.config.free_bits * self.z_size)
            recon = self.decoder(sample_z(mu, logvar, noise))
            sampled = self.decoder(prior)
        values, by_unlike, by_gan, of_discriminator = self.judge(obs, recon, sampled)
        gamma, kl_weight = self.config.gamma, self.config.kl_weight
        of_encoder = tape.gradient(
            [kl, recon], self.encoder.trainable_variables, [tf.constant(kl_weight), by_unlike]
        )
        of_decoder = tape.gradient(
            [recon, sampled],
            self.decoder.trainable_variables,
            [gamma * by_unlike - by_gan[0], -by_gan[1]],
        )
        unlike = values.pop("unlike")
        values |= {
            "kl": mean_kl(mu, logvar),
            "encoder": kl_weight * kl + unlike,
            "decoder": gamma * unlike - values["gan"],
            "discriminator": values["gan"],
        }
        gradients = {
            "encoder": of_encoder, "decoder": of_decoder, "discriminator": of_discriminator,
        }  # fmt: skip
        return values, gradients

    def similarity(self, obs, recon):
        """How unlike reconstructions are, as D sees it: frames (B, 64, 64, 3) twice -> a mean."""
        # Deviation: Larsen normalises by this batch. There our decoder, which has no normalisation
        # of its own, learns to shift the statistics; so they are the running ones here.
        _, seen = self.discriminator(tf.concat([obs, recon], axis=0), training=False)
        # Deviation where the width is not 1: as if there were Larsen's number of activations.
        return tf.reduce_mean(dissimilarity(*tf.split(seen, 2))) / self.config.width

    def judge(self, obs, recon, sampled) -> tuple:
        """What D says of the three, frames float32 0..1 (B, 64, 64, 3).

        Returns values by name; the gradient to the reconstructions of how unlike they are; those of
        the GAN's loss to both kinds of made frames; and that to D's own variables.
        """
        variables = self.discriminator.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([recon, sampled])
            images = tf.concat([obs, recon, sampled], axis=0)  # (3 B, 64, 64, 3)
            logits = tf.split(self.discriminator(images, training=True)[0], 3)  # (B,) each
            similarity = self.similarity(obs, recon)
            error = tf.reduce_mean(squared_error(obs, recon))
            # Deviation where recon_weight is not 0: Larsen goes by the similarity alone.
            unlike = similarity + self.config.recon_weight * error
            costs = cross_entropies(*logits)
            gan = tf.add_n(costs)
        by_unlike = tape.gradient(unlike, recon)
        *by_gan, of_discriminator = tape.gradient(gan, [recon, sampled, variables])
        right = logits[0] > 0, logits[1] < 0, logits[2] < 0
        accuracies = {
            f"accuracy_{kind}": tf.reduce_mean(tf.cast(each, tf.float32))
            for kind, each in zip(KINDS, right, strict=True)
        }
        values = {"similarity": similarity, "recon": error, "unlike": unlike}
        values |= {"gan": gan, "costs": costs} | accuracies
        return values, by_unlike, by_gan, of_discriminator


def mean_kl(mu, logvar, floor: float = 0.0):
    """KL of an image's z from N(0, I) in nats, floored, mean over the batch."""
    return tf.reduce_mean(tf.maximum(tf.reduce_sum(kl_divergence(mu, logvar), axis=1), floor))
