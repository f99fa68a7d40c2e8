"""The VAE-GAN: its discriminator, its losses by hand, and which loss moves which network."""

import dataclasses

from replication.config import Vae, Vaegan
from replication.tf import keras, tf
from replication.vae.vae import VAE, sample_z, squared_error, to_float
from replication.vae.vaegan import (
    VAEGAN,
    build_discriminator,
    cross_entropies,
    half_squared_distance,
    mean_kl,
    who_moves,
)

import numpy as np
import pytest

NETWORKS = ("encoder", "decoder", "discriminator")
NARROW = Vaegan(
    width=1 / 16, gamma=1e-3, recon_weight=0.5, kl_weight=2.0, free_bits=0.0, margin=100.0
)  # nobody rests, nothing is floored


def made(config: Vaegan = NARROW, **rates: float) -> VAEGAN:
    """A VAE-GAN whose networks learn at these rates; at 0 where none is given."""
    keras.utils.set_random_seed(0)
    vaegan = VAEGAN(config, 32)
    vaegan.compile(*(keras.optimizers.SGD(rates.get(name, 0.0)) for name in NETWORKS))
    return vaegan


@pytest.fixture(scope="module")
def vaegan():
    return made()


def batch(count: int = 4) -> tuple:
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (count, 64, 64, 3), np.uint8)
    return tf.constant(frames), tf.constant(random.standard_normal((2 * count, 32), np.float32))


# The discriminator -------------------------------------------------------------------------


def test_the_discriminator_is_larsens():
    """5 x 5 convolutions, batch normalisation in all but the first, dense 512, one output."""
    convolutions = 75 * 32 + 32 + 25 * (32 * 128 + 128 * 256 + 256 * 256)
    dense = 8 * 8 * 256 * 512 + 512 + 1
    normalisation = 4 * (128 + 256 + 256 + 512)
    discriminator = build_discriminator()
    assert discriminator.count_params() == convolutions + dense + normalisation == 10_956_161
    kinds = [type(layer).__name__ for layer in discriminator.layers]
    assert kinds.index("BatchNormalization") > kinds.index("Conv2D") + 1
    assert kinds.count("BatchNormalization") == 4


def test_features_are_of_the_last_convolution_before_normalisation_and_relu():
    discriminator = build_discriminator(width=1 / 8)
    logits, features = discriminator(to_float(batch(3)[0]), training=True)
    assert (logits.shape, features.shape) == ((3,), (3, 8, 8, 256 // 8))
    assert build_discriminator().outputs[1].shape == (None, 8, 8, 256)
    last = [layer for layer in discriminator.layers if type(layer).__name__ == "Conv2D"][-1]
    assert discriminator.outputs[1] is last.output
    assert np.min(features) < 0 < np.max(features)


def test_width_is_of_every_layer():
    half = build_discriminator(width=0.5)
    shapes = [weight.shape for weight in half.trainable_variables if len(weight.shape) > 1]
    assert shapes == [
        (5, 5, 3, 16), (5, 5, 16, 64), (5, 5, 64, 128), (5, 5, 128, 128), (8192, 256), (256, 1),
    ]  # fmt: skip


# Losses by hand ----------------------------------------------------------------------------


def test_half_squared_distance_by_hand():
    one, other = np.zeros((2, 8, 8, 3), np.float32), np.zeros((2, 8, 8, 3), np.float32)
    one[0], other[1, 2, 3] = 0.5, [1, 2, 3]
    found = half_squared_distance(one, other)
    np.testing.assert_allclose(found, [0.25 * 192 / 2, 14 / 2], rtol=1e-6)


def test_cross_entropies_by_hand():
    """D(x) = 1 / (1 + exp(-logit)); real frames cost -log D, made ones -log(1 - D)."""
    found = cross_entropies(*np.float32([[0, 2], [0, -1], [3, 3]]))
    sigmoid = lambda logit: 1 / (1 + np.exp(-logit))  # noqa: E731
    by_hand = [
        -(np.log(0.5) + np.log(sigmoid(2))) / 2,
        -(np.log(0.5) + np.log(1 - sigmoid(-1))) / 2,
        -np.log(1 - sigmoid(3)),
    ]
    np.testing.assert_allclose(found, by_hand, rtol=1e-5)
    extreme = cross_entropies(*np.float32([[-1000], [1000], [-1000]]))
    np.testing.assert_array_equal(extreme, [1000, 1000, 0])


class Fixed:
    """A discriminator that says the same of every frame."""

    trainable_variables = ()

    def __call__(self, images, training: bool):
        if training:  # real, reconstructed, sampled
            return tf.constant(np.repeat(np.float32([2, 1, -1]), len(images) // 3)), None
        features = np.zeros((len(images), 8, 8, 4), np.float32)
        features[len(images) // 2 :] = 0.1
        return None, tf.constant(features)


def test_what_a_discriminator_says_by_hand():
    """Real and sampled frames are told aright, reconstructions are not."""
    vaegan = made(Vaegan(width=0.5))
    vaegan.discriminator = Fixed()
    obs = to_float(batch(2)[0])
    judged = vaegan.judge(obs, obs, obs)
    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    gan = softplus(-2) + softplus(1) + softplus(-1)
    dissimilarity = 0.01 * 8 * 8 * 4 / 2 / 0.5
    assert float(vaegan.dissimilarity(obs, obs)) == pytest.approx(dissimilarity, rel=1e-5)
    assert float(judged["gan"]) == pytest.approx(gan, rel=1e-5)
    rights = [float(judged[f"accuracy_{kind}"]) for kind in ("real", "reconstructed", "sampled")]
    assert rights == [1, 0, 1]


def test_what_is_logged_adds_up(vaegan):
    values, _ = vaegan.gradients_of(batch())
    found = {name: float(value) for name, value in values.items() if name != "costs"}
    unlike = found["dissimilarity"] + 0.5 * found["recon"]
    assert found["encoder"] == pytest.approx(2 * found["kl"] + unlike, rel=1e-5)
    assert found["decoder"] == pytest.approx(1e-3 * unlike - found["gan"], rel=1e-4)
    assert found["discriminator"] == found["gan"]
    assert found["gan"] == pytest.approx(float(sum(values["costs"])), rel=1e-6)


def test_free_bits_floor_each_images_kl():
    """KLs of 0 and 64 nats with a floor of 16: the mean is 40."""
    mu = np.float32([[0] * 32, [2] * 32])
    assert float(mean_kl(mu, 0 * mu, 16.0)) == (16 + 64) / 2
    assert float(mean_kl(mu, 0 * mu)) == 32


def test_below_the_floor_the_encoder_learns_from_the_dissimilarity_alone(vaegan):
    """Both weights of the KL give the same gradients where every image is below the floor."""
    frames, noise = batch(2)
    gradients, kept = [], vaegan.get_weights()
    for weight in (0.0, 1e6):
        vaegan.set_weights(kept)  # the running statistics, too
        vaegan.config = dataclasses.replace(NARROW, free_bits=1e3, kl_weight=weight)
        gradients.append(vaegan.gradients_of((frames, noise))[1]["encoder"])
    vaegan.config = NARROW
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_array_equal(one, other)


def test_pixel_losses_are_the_vaes(vaegan):
    """The same squared error, and the same KL where nothing floors it."""
    keras.utils.set_random_seed(1)
    vae, (frames, noise) = VAE(Vae(free_bits=0.0), 32), batch()
    vae.encoder.set_weights(vaegan.encoder.get_weights())
    vae.decoder.set_weights(vaegan.decoder.get_weights())
    expected, found = vae.losses_of((frames, noise[:4])), vaegan.pixel_losses((frames, noise[:4]))
    for name in ("recon", "kl"):
        assert float(found[name]) == pytest.approx(float(expected[name]), rel=1e-5)


# Which loss moves which network ------------------------------------------------------------


def terms_as_in_the_paper(vaegan: VAEGAN, frames, noise) -> dict:
    """The terms of the three losses in one graph, as the paper writes them."""
    obs = to_float(frames)
    mu, logvar = vaegan.encoder(obs)
    recon = vaegan.decoder(sample_z(mu, logvar, noise[: len(obs)]))
    sampled = vaegan.decoder(noise[len(obs) :])
    logits, _ = vaegan.discriminator(tf.concat([obs, recon, sampled], 0), training=True)
    (_, real), (_, again) = (vaegan.discriminator(x, training=False) for x in (obs, recon))
    d = [tf.sigmoid(logit) for logit in tf.split(logits, 3)]
    gan = -tf.reduce_mean(tf.math.log(d[0]) + tf.math.log(1 - d[1]) + tf.math.log(1 - d[2]))
    dissimilarity = tf.reduce_mean(half_squared_distance(real, again)) / NARROW.width
    unlike = dissimilarity + 0.5 * tf.reduce_mean(squared_error(obs, recon))
    return {"kl": mean_kl(mu, logvar), "unlike": unlike, "gan": gan}


def test_gradients_are_those_of_each_loss(vaegan):
    """Against plain differentiation of KL + unlikeness, gamma * unlikeness - GAN, and GAN."""
    frames, noise = batch()
    kept = vaegan.get_weights()
    _, found = vaegan.gradients_of((frames, noise))
    vaegan.set_weights(kept)  # the running statistics, too
    with tf.GradientTape(persistent=True) as tape:
        plain = terms_as_in_the_paper(vaegan, frames, noise)
        encoder = 2 * plain["kl"] + plain["unlike"]
    variables = {name: getattr(vaegan, name).trainable_variables for name in NETWORKS}
    by_unlike, by_gan = (
        tape.gradient(plain[name], variables["decoder"]) for name in ("unlike", "gan")
    )
    expected = {
        "encoder": tape.gradient(encoder, variables["encoder"]),
        "decoder": [1e-3 * s - g for s, g in zip(by_unlike, by_gan, strict=True)],
        "discriminator": tape.gradient(plain["gan"], variables["discriminator"]),
    }
    for name in NETWORKS:
        size = max(np.max(np.abs(gradient)) for gradient in expected[name])
        for one, other in zip(found[name], expected[name], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4 * size)
        assert size > 0


def snapshot(vaegan: VAEGAN) -> dict[str, list[np.ndarray]]:
    return {
        name: [variable.numpy() for variable in getattr(vaegan, name).trainable_variables]
        for name in NETWORKS
    }


def moved(before: dict, after: dict) -> list[str]:
    return [
        name
        for name in NETWORKS
        if any((a != b).any() for a, b in zip(before[name], after[name], strict=True))
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_of_one_network_moves_no_other(name):
    vaegan = made(**{name: 1e-4})
    before = snapshot(vaegan)
    vaegan.train_step(batch())
    assert moved(before, snapshot(vaegan)) == [name]


EVEN = 0.69  # cross-entropy of a discriminator that guesses: log 2


@pytest.mark.parametrize(
    ("real", "made_up", "moves"),
    [
        (EVEN, EVEN, (True, True)),
        (0.34, EVEN, (True, True)),
        (0.32, EVEN, (True, False)),  # D is ahead
        (EVEN, 0.1, (True, False)),
        (1.02, EVEN, (True, True)),
        (EVEN, 1.04, (False, True)),  # the decoder is ahead
        (0.1, 1.5, (True, True)),  # both would rest
        (np.nan, EVEN, (True, True)),
    ],
)
def test_the_side_that_is_ahead_rests(real, made_up, moves):
    found = who_moves(tf.constant(real), tf.constant(made_up), equilibrium=0.68, margin=0.35)
    assert tuple(bool(each) for each in found) == moves


@pytest.mark.parametrize(
    ("equilibrium", "moving"),
    [(100.0, ["encoder", "decoder"]), (-100.0, ["encoder", "discriminator"])],
)
def test_who_rests_is_left_as_it_is(equilibrium, moving):
    config = Vaegan(width=1 / 16, equilibrium=equilibrium, margin=0.35)
    vaegan = made(config, encoder=1e-4, decoder=1e-2, discriminator=1e-2)
    before = snapshot(vaegan)
    tracked = vaegan.train_step(batch())
    assert moved(before, snapshot(vaegan)) == moving
    shares = [float(tracked[f"{name}_moves"]) for name in ("decoder", "discriminator")]
    assert shares == [float(name in moving) for name in ("decoder", "discriminator")]


def test_the_frozen_encoder_sees_frames_one_by_one(vaegan):
    """No normalisation over the batch in what the agent drives with."""
    frames = to_float(batch(16)[0])
    together = vaegan.encoder(frames)
    for row in (0, 15):
        alone = vaegan.encoder(frames[row : row + 1])
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], other[row], atol=1e-6)
