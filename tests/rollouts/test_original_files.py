"""The original's files: which number of theirs becomes which weight, and what is refused."""

import json

from replication.config import Rnn, UserError
from replication.controller.controller import LinearPolicy
from replication.rnn.rnn import MDNRNN
from replication.rollouts.original_files import read_controller, read_starts, set_rnn, set_vae
from replication.tasks.car_racing import CAR_RACING_V0
from replication.tf import keras
from replication.vae.vae import build_decoder, build_encoder

import numpy as np
import original
import pytest
from scipy.special import expit, logsumexp

layers = keras.layers

# V -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def v(tmp_path_factory):
    """Encoder and decoder with a made-up V of the original's."""
    path = tmp_path_factory.mktemp("v") / "vae.json"
    original.write_arrays(path, original.v_integers())
    encoder, decoder = build_encoder(32), build_decoder(32)
    set_vae(encoder, decoder, path)
    return encoder, decoder


def with_weights(layer, kernel, bias):
    """A layer's function, once it has the original's integers."""

    def call(x):
        layer.build(x.shape)
        layer.set_weights([kernel / 10_000, bias / 10_000])
        return layer(x)

    return call


def conv(filters: int) -> keras.layers.Layer:
    return layers.Conv2D(filters, 4, strides=2, activation="relu")


def deconv(filters: int, kernel: int, activation: str = "relu") -> keras.layers.Layer:
    return layers.Conv2DTranspose(filters, kernel, strides=2, activation=activation)


def test_the_encoder_is_that_of_the_originals_arrays(v):
    """conv1..4 are arrays 1..8, mu 9 and 10, logvar 11 and 12."""
    arrays, x = original.v_integers(), np.random.default_rng(0).random((3, 64, 64, 3), np.float32)
    expected = x
    for i, filters in enumerate((32, 64, 128, 256)):
        expected = with_weights(conv(filters), *arrays[2 * i : 2 * i + 2])(expected)
    expected = np.reshape(expected, (3, 1024))
    mu, logvar = v[0](x)
    for place, output in ((8, mu), (10, logvar)):
        kernel, bias = arrays[place : place + 2]
        np.testing.assert_allclose(output, expected @ (kernel / 10_000) + bias / 10_000, atol=1e-4)
        assert np.std(output) > 0.1


def test_the_decoder_is_that_of_the_originals_arrays(v):
    """fc is arrays 13 and 14, deconv1..4 are 15..22."""
    arrays, z = original.v_integers(), np.random.default_rng(1).standard_normal((2, 32))
    expected = np.float32(z @ (arrays[12] / 10_000) + arrays[13] / 10_000).reshape(2, 1, 1, 1024)
    stack = (deconv(128, 5), deconv(64, 5), deconv(32, 6), deconv(3, 6, "sigmoid"))
    for i, layer in enumerate(stack):
        expected = with_weights(layer, *arrays[14 + 2 * i : 16 + 2 * i])(expected)
    recon = v[1](np.float32(z))
    np.testing.assert_allclose(recon, expected, atol=1e-5)
    assert np.std(recon) > 0.01


# M -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def m(tmp_path_factory) -> MDNRNN:
    """M with a made-up M of the original's."""
    path = tmp_path_factory.mktemp("m") / "rnn.json"
    original.write_arrays(path, original.m_integers())
    rnn = MDNRNN(Rnn(), CAR_RACING_V0)
    set_rnn(rnn, path)
    return rnn


def tensorflow_1_step(x, h, c, forget_bias=1.0):
    """LayerNormBasicLSTMCell without its normalisation: x (B, 35), h and c (B, 256) -> h, c."""
    kernel, bias = (array / 10_000 for array in original.m_integers()[2:])
    i, j, f, o = np.split(np.concatenate([x, h], axis=1) @ kernel + bias, 4, axis=1)
    c = c * expit(f + forget_bias) + expit(i) * np.tanh(j)
    return np.tanh(c) * expit(o), c


def test_ms_step_is_the_originals(m):
    random = np.random.default_rng(4)
    z, action = random.standard_normal((5, 32)), random.uniform(-1, 1, (5, 3))
    h, c = random.uniform(-1, 1, (2, 5, 256))
    state = [np.float32(values) for values in (z, action, h, c)]
    got = m.step(*state)
    x = np.concatenate([z, action], axis=1)
    for ours, theirs in zip(got, tensorflow_1_step(x, h, c), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    without = tensorflow_1_step(x, h, c, forget_bias=0.0)
    assert np.abs(got[1] - without[1]).max() > 0.1  # the 1 of the forget gate shows


def test_ms_mixture_is_the_originals(m):
    """A dimension's 15 outputs are 5 logits, 5 means, 5 log deviations."""
    random = np.random.default_rng(5)
    h, z = random.uniform(-1, 1, (4, 256)), random.standard_normal((4, 32))
    weight, bias = (array / 10_000 for array in original.m_integers()[:2])
    logmix, mean, logstd = np.split((h @ weight + bias).reshape(4, 32, 15), 3, axis=2)
    logmix = logmix - logsumexp(logmix, axis=2, keepdims=True)
    normal = -0.5 * ((z[..., None] - mean) / np.exp(logstd)) ** 2 - logstd - np.log(2 * np.pi) / 2
    expected = logsumexp(logmix + normal, axis=2)
    got = m.predict_z(np.float32(h)).log_prob(np.float32(z))
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert got.shape == (4, 32)


# C -------------------------------------------------------------------------------------------

C = LinearPolicy("z_h", CAR_RACING_V0)


def test_cs_vector_is_the_originals(tmp_path):
    """Biases first, then a row for each of z and h; actions as by the original's `get_action`."""
    path, numbers = tmp_path / "best.json", original.c_numbers()
    original.write_json(path, [numbers.tolist(), original.SCORE])
    flat, score = read_controller(C, path)
    np.testing.assert_array_equal(flat, np.float32(numbers))
    assert (flat.dtype, score) == (np.float32, original.SCORE)
    random = np.random.default_rng(6)
    z, h = random.standard_normal(32), random.uniform(-1, 1, 256)
    u = np.tanh(np.concatenate([z, h]) @ numbers[3:].reshape(288, 3) + numbers[:3])
    expected = [u[0], (u[1] + 1) / 2, np.clip(u[2], 0, 1)]
    zero = np.zeros((1, 256), np.float32)
    action = C.act(flat[None], np.float32(z[None]), np.float32(h[None]), zero)
    np.testing.assert_allclose(action[0], expected, atol=1e-5)


# What is refused -----------------------------------------------------------------------------


def complaint(read, *arguments) -> str:
    with pytest.raises(UserError) as error:
        read(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "is missing: the original's C, [867 numbers, score], was expected"),
        ("", "is not JSON, or not all of it: the original's C"),
        ("[[0.1, 0.2", "is not JSON, or not all of it: the original's C"),
        ('{"parameters": []}', "is a dict: the original's C"),
        ("[1, 2, 3]", "has other contents: the original's C"),
        ('[["a"], 3]', "has other contents: the original's C"),
        ("[[0.1, 0.2], null]", "has other contents: the original's C"),
        ("[[0.1, 0.2], 900]", "array 1 is (2,), not (867,)"),
        (json.dumps([[0.5] * 1088, 959]), "array 1 is (1088,), not (867,)"),  # Take Cover's C
        (json.dumps([[float("nan")] * 867, 900]), "array 1 has numbers that are not finite"),
    ],
)
def test_a_c_that_is_none(tmp_path, text, reason):
    path = tmp_path / "best.json"
    if text is not None:
        path.write_text(text)
    assert complaint(read_controller, C, path).startswith(str(path))
    assert reason in complaint(read_controller, C, path)


def test_an_m_that_is_none(tmp_path):
    rnn, path = MDNRNN(Rnn(), CAR_RACING_V0), tmp_path / "rnn.json"
    before = [array.copy() for array in rnn.get_weights()]
    assert "rnn.json is missing: the original's M, 4 arrays, was" in complaint(set_rnn, rnn, path)
    arrays = [array.tolist() for array in original.m_integers()]
    for value, reason in (
        (arrays[:3], "has 3 arrays; 4 were expected"),
        ([*arrays[:2], np.zeros((577, 2048)).tolist(), arrays[3]], "is (577, 2048), not (291, "),
        ([*arrays[:3], [1, [2, 3]]], "has entries that are no arrays of numbers"),
        ([*arrays[:3], "bias"], "has entries that are no arrays of numbers"),
    ):
        original.write_json(path, value)
        assert complaint(set_rnn, rnn, path).startswith(str(path))
        assert reason in complaint(set_rnn, rnn, path)
    for kept, now in zip(before, rnn.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)


def test_a_v_that_is_none(tmp_path):
    encoder, decoder, path = build_encoder(32), build_decoder(32), tmp_path / "vae.json"
    original.write_arrays(path, original.m_integers())
    assert complaint(set_vae, encoder, decoder, path).endswith("has 4 arrays; 22 were expected")
    path.write_text("[[[")
    assert "is not JSON, or not all of it: the original's V, 22 arrays, was expected" in complaint(
        set_vae, encoder, decoder, path
    )


@pytest.mark.parametrize("values", [[], [5], [5, 6], {}, [[1, 2]]])
def test_starts_that_are_none_are_one_line(tmp_path, values):
    path = tmp_path / "initial_z.json"
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match="initial_z.json"):
        read_starts(2, path)
