"""C: its parameters, their order, and what it does with them, against NumPy alone."""

from replication.controller import controller
from replication.controller.actions import HIGH, LOW, squash
from replication.tf import tf

import numpy as np
import pytest

MODES = ("z_h", "z", "z_hidden", "z_c", "z_c_h")
B = 4


@pytest.fixture
def seen():
    """z (B, 32), h and c (B, 256)."""
    random = np.random.default_rng(0)
    return [np.float32(random.standard_normal((B, n))) for n in (32, 256, 256)]


def parameters(mode: str, rows: int = B) -> np.ndarray:
    random = np.random.default_rng(1)
    return np.float32(0.1 * random.standard_normal((rows, controller.parameter_count(mode))))


def numpy_act(mode: str, flat: np.ndarray, z, h, c) -> np.ndarray:
    """DESIGN's text for one row: biases first, then W row by row, a row for each input."""
    x = np.concatenate(
        {"z_h": (z, h), "z": (z,), "z_hidden": (z,), "z_c": (z, c), "z_c_h": (z, c, h)}[mode]
    ).astype(np.float64)
    flat = flat.astype(np.float64)
    if mode == "z_hidden":
        bias, weight, flat = flat[:40], flat[40 : 40 + 32 * 40].reshape(32, 40), flat[40 + 1280 :]
        x = np.tanh(x @ weight + bias)
    u = np.tanh(x @ flat[3:].reshape(len(x), 3) + flat[:3])
    return np.array([u[0], (u[1] + 1) / 2, min(max(u[2], 0), 1)])


@pytest.mark.parametrize(
    ("mode", "count"), [("z_h", 867), ("z", 99), ("z_hidden", 1443), ("z_c", 867), ("z_c_h", 1635)]
)
def test_parameter_count_is_the_originals(mode, count):
    assert controller.parameter_count(mode) == count


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_acts_like_numpy(mode, seen):
    flat = parameters(mode)
    action = controller.act(mode, flat, *seen)
    expected = [numpy_act(mode, *row) for row in zip(flat, *seen, strict=True)]
    np.testing.assert_allclose(action, expected, atol=2e-6)
    assert np.ptp(expected, axis=0).min() > 0.01  # not saturated: the comparison says something


def test_flat_vector_is_biases_then_weights_row_by_row(seen):
    z, h, c = (np.zeros_like(array) for array in seen)
    z[0, 5], h[1, 250] = 1, 1  # inputs 5 and 32 + 250
    flat = np.zeros((B, 867), np.float32)
    flat[:, 2] = 0.1  # the brake's bias
    flat[:, 3 + 3 * 5] = 0.7  # input 5 to steering
    flat[:, 3 + 3 * (32 + 250) + 1] = -0.3  # h[250] to gas
    action = controller.act("z_h", flat, z, h, c).numpy()
    brake = np.tanh(0.1)
    np.testing.assert_allclose(action[0], [np.tanh(0.7), 0.5, brake], atol=1e-6)
    np.testing.assert_allclose(action[1], [0, (np.tanh(-0.3) + 1) / 2, brake], atol=1e-6)
    np.testing.assert_allclose(action[2:], [[0, 0.5, brake]] * 2, atol=1e-6)


def test_flat_vector_round_trip():
    flat = parameters("z_h")
    bias, weight, rest = controller.unpack(tf.constant(flat), 288, 3)
    assert bias.shape == (B, 3)
    assert weight.shape == (B, 288, 3)
    assert rest.shape == (B, 0)
    packed = np.concatenate([bias, np.reshape(weight, (B, -1))], axis=1)
    np.testing.assert_array_equal(packed, flat)


def test_every_parameter_matters(seen):
    """None is left over, none is read twice: the derivative by each is there, in every mode."""
    for mode in MODES:
        flat = tf.Variable(parameters(mode))
        with tf.GradientTape() as tape:
            steer_and_gas = controller.act(mode, flat, *seen)[:, :2]
        gradient = tape.gradient(steer_and_gas, flat).numpy()
        unused = np.flatnonzero((gradient == 0).all(axis=0))
        brakes = len(unused)
        assert brakes == (41 if mode == "z_hidden" else controller.input_size(mode) + 1), mode


@pytest.mark.parametrize("mode", MODES)
def test_rows_with_controllers_of_their_own_equal_single_calls(mode, seen):
    flat = parameters(mode)
    together = controller.act(mode, flat, *seen).numpy()
    for row in range(B):
        alone = controller.act(mode, *(array[row : row + 1] for array in (flat, *seen)))
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)


@pytest.mark.parametrize("xp", [tf, np], ids=["tensorflow", "numpy"])
def test_squash_values(xp):
    u = np.float32([[0, 0, 0], [0.5, -0.5, 0.5], [-1, 1, -1], [99, 99, 99], [-99, -99, -99]])
    expected = [
        [0, 0.5, 0],
        [0.46211716, 0.26894142, 0.46211716],
        [-0.76159416, 0.88079708, 0],
        [1, 1, 1],
        [-1, 0, 0],
    ]
    np.testing.assert_allclose(squash(u, xp), expected, atol=1e-7)


def test_squash_stays_inside_the_action_space():
    u = np.float32(np.random.default_rng(0).normal(0, 5, (1000, 3)))
    action = squash(u, np)
    assert (action >= LOW).all()
    assert (action <= HIGH).all()
    assert (action[:, 2] == 0).mean() == pytest.approx(0.5, abs=0.05)
