"""V as a VAE-GAN: a discriminator judges how like reconstructions are, not the pixels alone.

Larsen et al. 2015 (arXiv 1512.09300), and the report, section 3. Encoder and decoder are the
VAE's networks; only what they learn from differs. Three losses move three sets of variables:

    encoder        KL + dissimilarity
    decoder        gamma * dissimilarity - GAN
    discriminator  GAN

GAN = -log D(x) - log(1 - D(Dec(Enc(x)))) - log(1 - D(Dec(z))), z ~ N(0, I). The dissimilarity is
Larsen's -log p(Dis_l(x) | z): with unit variance, half the squared distance between the features
of D's last convolution for x and for its reconstruction. Ours adds recon_weight times the pixels'
squared error (0 in Larsen). All are means over the batch.
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
NETWORKS = ("encoder", "decoder", "discriminator")
KINDS = ("real", "reconstructed", "sampled")
LOGGED = (
    *NETWORKS,
    *("dissimilarity", "kl", "gan", "recon"),
    *(f"accuracy_{kind}" for kind in KINDS),
    *("encoder_norm", "decoder_norm", "discriminator_norm", "decoder_moves", "discriminator_moves"),
)


def build_discriminator(width: float = 1.0) -> keras.Model:
    """Frames float32 0..1 (B, 64, 64, 3) -> logits (B,), features (B, 8, 8, 256).

    The features are those of the last convolution, before normalisation and relu. The number of
    each layer's units is multiplied by `width`.
    """
    units = {size: max(1, round(size * width)) for size in (32, 128, 256, 512)}
    obs = keras.Input((64, 64, 3))
    x = layers.Rescaling(2.0, -1.0)(obs)  # -1..1, as Larsen's frames
    x = layers.Conv2D(units[32], 5, padding="same", activation="relu")(x)  # (B, 64, 64, 32)
    for size in (128, 256, 256):  # (B, 32, 32, 128), (B, 16, 16, 256), (B, 8, 8, 256)
        features = layers.Conv2D(units[size], 5, strides=2, padding="same", use_bias=False)(x)
        x = normalised(features)
    x = layers.Dense(units[512], use_bias=False)(layers.Flatten()(x))
    logit = layers.Dense(1)(normalised(x))
    return keras.Model(obs, [layers.Reshape(())(logit), features], name="discriminator")


def normalised(x):
    """Batch normalisation as in Larsen's code, and relu."""
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-6)(x))


def half_squared_distance(real, reconstructed):
    """-log N(real | reconstructed, I) without its constant: features (B, 8, 8, F) twice -> (B,)."""
    return tf.reduce_sum(tf.square(real - reconstructed), axis=(1, 2, 3)) / 2


def cross_entropies(real, reconstructed, sampled) -> list:
    """-log D(x) of real frames, -log(1 - D(x)) of generated ones: logits (B,) -> three means."""
    costs = tf.nn.softplus(-real), tf.nn.softplus(reconstructed), tf.nn.softplus(sampled)
    return [tf.reduce_mean(cost) for cost in costs]


def who_moves(real, generated, equilibrium: float, margin: float):
    """Whether decoder and discriminator take a step, by D's mean cross-entropies on the batch.

    The side that is ahead rests: D if either cross-entropy is below equilibrium - margin, the
    decoder if either is above equilibrium + margin. If both would rest, both step. From Larsen's
    code, github.com/andersbll/autoencoding_beyond_pixels, model/aegan.py.
    """
    d_ahead = tf.minimum(real, generated) < equilibrium - margin
    decoder_ahead = tf.maximum(real, generated) > equilibrium + margin
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
        """Take one optimizer for each of the three networks."""
        super().compile(optimizer=None)
        self.optimizers = {"encoder": encoder, "decoder": decoder, "discriminator": discriminator}
        for name, optimizer in self.optimizers.items():
            optimizer.build(getattr(self, name).trainable_variables)

    @property
    def metrics(self):
        return list(self.trackers.values())

    def pixel_losses(self, batch) -> dict:
        """The VAE's squared error and KL, means over frames (B, 64, 64, 3) and noise (B, Z)."""
        obs = to_float(batch[0])
        mu, logvar = self.encoder(obs)
        recon = self.decoder(sample_z(mu, logvar, batch[1]))
        return {"recon": tf.reduce_mean(squared_error(obs, recon)), "kl": mean_kl(mu, logvar)}

    def train_step(self, batch):
        values, gradients = self.gradients_of(batch)
        costs = values.pop("costs")
        decoder_moves, discriminator_moves = who_moves(
            costs[0], (costs[1] + costs[2]) / 2, self.config.equilibrium, self.config.margin
        )
        moves = {"decoder": decoder_moves, "discriminator": discriminator_moves}
        for name, grads in gradients.items():
            values[f"{name}_norm"] = tf.linalg.global_norm(grads)
            self._step(name, grads, moves.get(name, True))
        values |= {f"{name}_moves": moved for name, moved in moves.items()}
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

        batch: frames uint8 (B, 64, 64, 3) and noise (2 B, Z): half of it draws z, the other half
        is z from the prior. Encoder and decoder reach D through the frames that they make alone.
        So D is differentiated to the frames, once for each of its two terms, and the losses'
        gradients follow by the chain rule. Three gradients of whole losses take 20 to 30% longer.
        """
        obs = to_float(batch[0])
        noise, prior = tf.split(batch[1], 2)  # (B, Z) each
        gamma, kl_weight = self.config.gamma, self.config.kl_weight
        with tf.GradientTape(persistent=True) as tape:
            mu, logvar = self.encoder(obs)
            # Deviation: Larsen has no floor; it keeps z in use while D has little to say.
            kl = mean_kl(mu, logvar, self.config.free_bits * self.z_size)
            recon, sampled = self.decoder(sample_z(mu, logvar, noise)), self.decoder(prior)
            judged = self.judge(obs, recon, sampled)
            gan = judged["gan"]
            # Deviation where recon_weight is not 0: Larsen goes by the dissimilarity alone.
            unlike = judged["dissimilarity"] + self.config.recon_weight * judged["recon"]
        losses = {
            "encoder": kl_weight * kl + unlike,
            "decoder": gamma * unlike - gan,
            "discriminator": gan,
        }
        variables = {name: getattr(self, name).trainable_variables for name in NETWORKS}
        targets = [recon, sampled, variables["discriminator"]]
        gan_by_recon, gan_by_sampled, gan_by_d = tape.gradient(gan, targets)
        unlike_by_recon = tape.gradient(unlike, recon)  # (B, 64, 64, 3), as the two before
        decoder_by_recon = gamma * unlike_by_recon - gan_by_recon
        gradients = {
            "encoder": tape.gradient(
                [kl, recon], variables["encoder"], [tf.constant(kl_weight), unlike_by_recon]
            ),
            "decoder": tape.gradient(
                [recon, sampled], variables["decoder"], [decoder_by_recon, -gan_by_sampled]
            ),
            "discriminator": gan_by_d,
        }
        return losses | {"kl": mean_kl(mu, logvar)} | judged, gradients

    def judge(self, obs, recon, sampled) -> dict:
        """What D makes of frames, reconstructions and samples, (B, 64, 64, 3) each: means by name.

        `costs` are its three cross-entropies, `gan` is their sum.
        """
        images = tf.concat([obs, recon, sampled], axis=0)  # (3 B, 64, 64, 3)
        logits = tf.split(self.discriminator(images, training=True)[0], 3)  # (B,) each
        costs = cross_entropies(*logits)
        correct = logits[0] > 0, logits[1] < 0, logits[2] < 0
        accuracies = {
            f"accuracy_{kind}": tf.reduce_mean(tf.cast(verdicts, tf.float32))
            for kind, verdicts in zip(KINDS, correct, strict=True)
        }
        return {
            "dissimilarity": self.dissimilarity(obs, recon),
            "recon": tf.reduce_mean(squared_error(obs, recon)),
            "costs": costs,
            "gan": tf.add_n(costs),
        } | accuracies

    def dissimilarity(self, obs, recon):
        """The mean distance of D's features of frames from those of reconstructions, as Larsen's.

        obs, recon: (B, 64, 64, 3).
        """
        # Deviation: Larsen normalises by this batch. There our decoder, which has no normalisation
        # of its own, learns to shift the statistics; so they are the running ones here.
        _, features = self.discriminator(tf.concat([obs, recon], axis=0), training=False)
        # Deviation where the width is not 1: as if there were Larsen's number of activations.
        return tf.reduce_mean(half_squared_distance(*tf.split(features, 2))) / self.config.width


def mean_kl(mu, logvar, floor: float = 0.0):
    """KL of an image's z from N(0, I) in nats, floored, mean over the batch."""
    return tf.reduce_mean(tf.maximum(tf.reduce_sum(kl_divergence(mu, logvar), axis=1), floor))
