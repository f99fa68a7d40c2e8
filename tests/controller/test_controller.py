"""C: its parameters, their order, and what it does with them, against NumPy alone."""

import dataclasses

from replication.controller.controller import LinearPolicy
from replication.tasks.car_racing import CAR_RACING_V3
from replication.tf import tf

import numpy as np
import pytest

UNBIASED = dataclasses.replace(CAR_RACING_V3, bias=False)
MODES = ("z_h", "z", "z_hidden", "z_c", "z_c_h")
B = 4


@pytest.fixture
def seen():
    """z (B, 32), h and c (B, 256)."""
    random = np.random.default_rng(0)
    return [np.float32(random.standard_normal((B, n))) for n in (32, 256, 256)]


def controller_of(mode: str) -> LinearPolicy:
    return LinearPolicy(mode, CAR_RACING_V3)


def parameters(mode: str, rows: int = B) -> np.ndarray:
    random = np.random.default_rng(1)
    return np.float32(0.1 * random.standard_normal((rows, controller_of(mode).parameter_count)))


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
    assert controller_of(mode).parameter_count == count


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_acts_like_numpy(mode, seen):
    flat = parameters(mode)
    action = controller_of(mode).act(flat, *seen)
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
    action = controller_of("z_h").act(flat, z, h, c).numpy()
    brake = np.tanh(0.1)
    np.testing.assert_allclose(action[0], [np.tanh(0.7), 0.5, brake], atol=1e-6)
    np.testing.assert_allclose(action[1], [0, (np.tanh(-0.3) + 1) / 2, brake], atol=1e-6)
    np.testing.assert_allclose(action[2:], [[0, 0.5, brake]] * 2, atol=1e-6)


def test_flat_vector_round_trip():
    flat = parameters("z_h")
    bias, weight, rest = controller_of("z_h").unpack(tf.constant(flat), 288, 3)
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
            steer_and_gas = controller_of(mode).act(flat, *seen)[:, :2]
        gradient = tape.gradient(steer_and_gas, flat).numpy()
        unused = np.flatnonzero((gradient == 0).all(axis=0))
        brakes = len(unused)
        assert brakes == (41 if mode == "z_hidden" else controller_of(mode).input_size + 1), mode


@pytest.mark.parametrize("mode", MODES)
def test_rows_with_controllers_of_their_own_equal_single_calls(mode, seen):
    flat = parameters(mode)
    together = controller_of(mode).act(flat, *seen).numpy()
    for row in range(B):
        alone = controller_of(mode).act(*(array[row : row + 1] for array in (flat, *seen)))
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)


@pytest.mark.parametrize(("mode", "count"), [("z_h", 864), ("z", 96), ("z_hidden", 1400)])
def test_without_biases_there_are_weights_alone(mode, count, seen):
    """It acts as the C of a task with biases does whose biases are 0."""
    ours, theirs = LinearPolicy(mode, UNBIASED), controller_of(mode)
    assert ours.parameter_count == count
    flat = np.float32(0.1 * np.random.default_rng(1).standard_normal((B, count)))
    layers = np.split(flat, [32 * 40] if mode == "z_hidden" else [], axis=1)
    sizes = [40, 3] if mode == "z_hidden" else [3]
    padded = [
        np.hstack([np.zeros((B, size), np.float32), weights])
        for size, weights in zip(sizes, layers, strict=True)
    ]
    expected = theirs.act(np.hstack(padded), *seen)
    np.testing.assert_array_equal(ours.act(flat, *seen), expected)
    assert np.ptp(expected, axis=0).min() > 0.001


def test_one_c_makes_outputs_of_many_inputs(seen):
    """flat (1, P) stands for every row, and outputs are not squashed yet."""
    flat, x = parameters("z_h", rows=1), np.hstack(seen[:2])
    output = controller_of("z_h").output(flat, x)
    np.testing.assert_allclose(output, x @ flat[0, 3:].reshape(288, 3) + flat[0, :3], atol=5e-6)
    assert np.abs(output).max() > 1


def test_sizes_follow_m_and_the_task():
    small = dataclasses.replace(CAR_RACING_V3, z_size=7, actions=("left", "right"))
    controller = LinearPolicy("z_c_h", small, hidden=5)
    assert (controller.input_size, controller.parameter_count) == (17, 36)
    assert controller.features(*(np.zeros((2, n)) for n in (7, 5, 5))).shape == (2, 17)
