"""V: its size, its loss against hand-worked values, and how z is drawn."""

from replication.config import Vae
from replication.tf import keras, tf
from replication.vae.vae import (
    VAE,
    OnePixelDeconv,
    kl_divergence,
    sample_z,
    squared_error,
    to_float,
)

import numpy as np
import pytest


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    return VAE(Vae(), 32)


def frames(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), np.uint8)


def with_outputs(config: Vae, recon, mu, logvar) -> VAE:
    """V's own loss on chosen outputs: its networks are replaced by constants."""
    vae = VAE(config, 32)
    vae.encoder = lambda obs: (tf.constant(mu), tf.constant(logvar))
    vae.decoder = lambda z: tf.constant(recon)
    return vae


def losses(vae: VAE, obs: np.ndarray) -> dict[str, float]:
    noise = np.zeros((len(obs), 32), np.float32)
    return {name: float(value) for name, value in vae.losses_of((obs, noise)).items()}


def test_parameter_count_is_the_papers(vae):
    assert vae.count_params() == 4_348_547
    assert sum(int(np.prod(v.shape)) for v in vae.trainable_variables) == 4_348_547


def test_kl_divergence_by_hand():
    mu = np.float32([[0, 1, 0, 2]])
    logvar = np.float32([[0, 0, np.log(4), np.log(0.25)]])
    # (mu^2 + sigma^2 - 1 - ln sigma^2) / 2
    by_hand = [[0, 0.5, (4 - 1 - np.log(4)) / 2, (4 + 0.25 - 1 - np.log(0.25)) / 2]]
    np.testing.assert_allclose(kl_divergence(mu, logvar), by_hand, atol=1e-6)


def test_squared_error_is_a_sum_over_pixels_and_colours():
    obs, recon = np.zeros((2, 64, 64, 3), np.float32), np.zeros((2, 64, 64, 3), np.float32)
    recon[0] = 0.5
    recon[1, 3, 4] = [1, 2, 3]
    np.testing.assert_allclose(squared_error(obs, recon), [0.25 * 12288, 14], rtol=1e-6)


def test_loss_of_constants_by_hand():
    """Reconstruction off by 0.1 and 0.3; KL 32 x 0.5 = 16 (the floor's) and 32 x 2 = 64 nats."""
    obs = np.zeros((2, 64, 64, 3), np.uint8)
    recon = np.zeros((2, 64, 64, 3), np.float32)
    recon[0], recon[1] = 0.1, 0.3
    mu = np.zeros((2, 32), np.float32)
    mu[0], mu[1] = 1, 2
    values = losses(with_outputs(Vae(), recon, mu, np.zeros_like(mu)), obs)
    assert values["recon"] == pytest.approx(12288 * (0.01 + 0.09) / 2, rel=1e-5)
    assert values["kl"] == pytest.approx((16 + 64) / 2, rel=1e-6)
    assert values["loss"] == pytest.approx(614.4 + 40, rel=1e-5)


def test_loss_weights_multiply_their_own_term():
    obs = np.full((1, 64, 64, 3), 255, np.uint8)
    recon, mu = np.full((1, 64, 64, 3), 0.5, np.float32), np.full((1, 32), 2, np.float32)
    config = Vae(recon_weight=3.0, kl_weight=0.25)
    values = losses(with_outputs(config, recon, mu, np.zeros_like(mu)), obs)
    assert (values["recon"], values["kl"]) == (pytest.approx(3072), pytest.approx(64))
    assert values["loss"] == pytest.approx(3 * 3072 + 0.25 * 64)


def test_free_bits_floor_each_images_kl_not_the_mean():
    """KLs of 0 and 64 with a floor of 16: the mean is (16 + 64) / 2, not max(16, 32)."""
    obs, recon = np.zeros((2, 64, 64, 3), np.uint8), np.zeros((2, 64, 64, 3), np.float32)
    mu = np.zeros((2, 32), np.float32)
    mu[1] = 2
    assert losses(with_outputs(Vae(), recon, mu, np.zeros_like(mu)), obs)["kl"] == 40
    free = with_outputs(Vae(free_bits=0.0), recon, mu, np.zeros_like(mu))
    assert losses(free, obs)["kl"] == 32


def test_below_the_floor_kl_teaches_nothing():
    vae, batch = VAE(Vae(), 32), (frames(2), np.zeros((2, 32), np.float32))
    with tf.GradientTape() as tape:
        kl = vae.losses_of(batch)["kl"]
    assert float(kl) == 16
    gradients = tape.gradient(kl, vae.encoder.trainable_variables)
    assert all(gradient is None or not np.any(gradient) for gradient in gradients)


def test_the_reports_weights_halve_the_loss(vae):
    batch = (frames(3), np.random.default_rng(1).standard_normal((3, 32), np.float32))
    whole = vae.losses_of(batch)
    vae_config = vae.config
    try:
        vae.config = Vae(recon_weight=0.5, kl_weight=0.5)
        half = vae.losses_of(batch)
    finally:
        vae.config = vae_config
    assert float(half["loss"]) == pytest.approx(float(whole["loss"]) / 2, rel=1e-6)
    assert float(half["recon"]) == float(whole["recon"])


def test_sample_z_is_mu_plus_exp_half_logvar_times_noise():
    mu, logvar = np.float32([1, -2, 3]), np.float32([0, np.log(4), np.log(0.25)])
    np.testing.assert_allclose(
        sample_z(mu, logvar, np.float32([2, 2, 2])), [1 + 2, -2 + 4, 3 + 1], rtol=1e-6
    )


def test_sample_z_has_standard_deviation_exp_half_logvar():
    logvar = np.float32([-4, -1, 0, 1, 3])
    noise = np.random.default_rng(0).standard_normal((100_000, 5), np.float32)
    z = sample_z(np.float32([5, 4, 3, 2, 1]), logvar, noise).numpy()
    np.testing.assert_allclose(z.std(axis=0), np.exp(logvar / 2), rtol=0.01)
    np.testing.assert_allclose(z.mean(axis=0), [5, 4, 3, 2, 1], atol=0.03)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_one_pixel_deconv_is_keras_transposed_convolution(activation):
    ours = OnePixelDeconv(7, 5, strides=2, activation=activation)
    keras_own = keras.layers.Conv2DTranspose(7, 5, strides=2, activation=activation)
    random = np.random.default_rng(0)
    x = random.standard_normal((3, 1, 1, 11)).astype(np.float32)
    for layer in (ours, keras_own):
        layer.build(x.shape)
    weights = [random.standard_normal(w.shape).astype(np.float32) for w in ours.get_weights()]
    ours.set_weights(weights)
    keras_own.set_weights(weights)
    assert ours(x).shape == (3, 5, 5, 7)
    np.testing.assert_allclose(ours(x), keras_own(x), atol=1e-5)
    assert tuple(ours.compute_output_shape(x.shape)) == (3, 5, 5, 7)


def test_frames_become_floats_from_0_to_1():
    np.testing.assert_allclose(to_float(np.uint8([0, 51, 255])), [0, 0.2, 1], rtol=1e-6)


def test_networks_shapes_and_range(vae):
    recon, mu, logvar = vae((frames(2), 10 * np.ones((2, 32), np.float32)))
    assert (recon.shape, mu.shape, logvar.shape) == ((2, 64, 64, 3), (2, 32), (2, 32))
    extreme = vae.decoder(1000 * np.random.default_rng(0).standard_normal((2, 32), np.float32))
    assert 0 <= np.min(extreme) <= np.max(extreme) <= 1
    assert np.ptp(extreme) > 0.5


def test_layers_are_the_originals(vae):
    convolutions = [w.shape for w in vae.encoder.trainable_variables if len(w.shape) == 4]
    assert convolutions == [(4, 4, 3, 32), (4, 4, 32, 64), (4, 4, 64, 128), (4, 4, 128, 256)]
    kernels = [w.shape for w in vae.decoder.trainable_variables if len(w.shape) == 4]
    assert kernels == [(5, 5, 128, 1024), (5, 5, 64, 128), (6, 6, 32, 64), (6, 6, 3, 32)]
    assert vae.decoder.layers[1].activation is keras.activations.linear


def test_a_training_step_is_one_step_of_adam_on_the_loss():
    """The loss falls on the batch that was learned from, and the tracked loss is that before."""
    keras.utils.set_random_seed(0)
    vae = VAE(Vae(), 32)
    vae.compile(optimizer=keras.optimizers.Adam(1e-4))
    batch = (frames(4), np.zeros((4, 32), np.float32))
    before = float(vae.losses_of(batch)["loss"])
    tracked = vae.train_step(batch)
    after = float(vae.losses_of(batch)["loss"])
    assert float(tracked["loss"]) == pytest.approx(before, rel=1e-6)
    assert after < before
