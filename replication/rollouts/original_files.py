"""The original's published agents, as its repository stores them (hardmaru/WorldModelsExperiments).

vae.json           V: kernel and bias of each layer, in the order of `set_vae`; integers / 10,000
rnn.json           M: output weights and bias, LSTM kernel and bias; integers / 10,000
initial_z.json     Doom: mu and logvar of 1,000 first frames; integers / 10,000
*.cma.*.best.json  C: [its numbers, its score], floats

V's layers are in Keras' order and layouts. M's LSTM is TensorFlow 1's: one kernel with rows z,
action, in Doom restart, h and gates i, j, f, o; 1 is added to the forget gate as it runs. In Keras
the gates are i, f, j, o, the kernel has two parts, and that 1 is part of the bias. The mixture of a
dimension is 5 logits, 5 means, 5 log deviations in both. C has its biases first in both; Doom's has
none.
"""

import json
from pathlib import Path

from replication.config import UserError
from replication.controller.controller import LinearPolicy
from replication.rnn.rnn import MDNRNN
from replication.tf import keras

import numpy as np

SCALE = 10_000  # a weight w is stored as round(w * SCALE)


def read_list(path: Path, expected: str) -> list:
    """The list in a JSON file; UserError says that it is missing, or is not what was expected."""
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path} is missing: {expected} was expected") from None
    except ValueError:  # cut, or no text at all
        raise UserError(f"{path} is not JSON, or not all of it: {expected} was expected") from None
    if not isinstance(values, list):
        raise UserError(f"{path} is a {type(values).__name__}: {expected} was expected")
    return values


def read_arrays(path: Path, shapes: list[tuple[int, ...]], what: str) -> list[np.ndarray]:
    """The weights in a JSON file of integers, float32; UserError if they are not of these shapes.

    what: the network that they belong to, for the user.
    """
    values = read_list(path, f"the original's {what}, {len(shapes)} arrays,")
    try:
        arrays = [np.array(value, np.float32) / SCALE for value in values]
    except (ValueError, TypeError):
        raise UserError(f"{path} has entries that are no arrays of numbers") from None
    check_shapes(arrays, shapes, path)
    return arrays


def set_vae(encoder: keras.Model, decoder: keras.Model, path: Path) -> None:
    """Put the original's V into the two networks.

    The order is conv1..4, mu, logvar; then the decoder's fc, deconv1..4: kernel, then bias.
    """
    shapes = [w.shape for model in (encoder, decoder) for w in model.get_weights()]
    arrays = read_arrays(path, shapes, "V")
    encoder.set_weights(arrays[: len(encoder.weights)])
    decoder.set_weights(arrays[len(encoder.weights) :])


def set_rnn(rnn: MDNRNN, path: Path) -> None:
    """Put the original's M into a network of the same sizes; other heads come before the mixture.

    Doom's has one, the end's logit.
    """
    inputs, hidden = rnn.lstm.cell.kernel.shape[0], rnn.config.hidden
    outputs, heads = rnn.head.kernel.shape[1] + len(rnn.heads), len(rnn.heads)
    shapes = [(hidden, outputs), (outputs,), (inputs + hidden, 4 * hidden), (4 * hidden,)]
    output_weight, output_bias, kernel, bias = read_arrays(path, shapes, "M")
    kernel, bias = reorder_gates(kernel), reorder_gates(bias)
    bias[hidden : 2 * hidden] += 1  # the forget bias that the original adds as it runs
    rnn.lstm.set_weights([kernel[:inputs], kernel[inputs:], bias])
    rnn.head.set_weights([output_weight[:, heads:], output_bias[heads:]])
    for column, head in enumerate(rnn.heads.values()):
        place = slice(column, column + 1)
        head.set_weights([output_weight[:, place], output_bias[place]])


def reorder_gates(values: np.ndarray) -> np.ndarray:
    """Columns (..., 4 H) of TensorFlow 1's gates i, j, f, o -> Keras' i, f, j, o."""
    i, j, f, o = np.split(values, 4, axis=-1)
    return np.concatenate([i, f, j, o], axis=-1)


def read_starts(z_size: int, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """V's mu and logvar of the frames that dreams start from, float32 (N, Z)."""
    known = read_list(path, "the original's initial z, 2 arrays,")
    count = len(known[0]) if known and isinstance(known[0], list) else 0
    mu, logvar = read_arrays(path, [(count, z_size)] * 2, "initial z")
    return mu, logvar


def read_controller(controller: LinearPolicy, path: Path) -> tuple[np.ndarray, float]:
    """C's flat vector (P,), float32, and the score that the original logged for it."""
    expected = f"the original's C, [{controller.parameter_count} numbers, score],"
    try:
        values, score = read_list(path, expected)
        flat, score = np.array(values, np.float32), float(score)
    except (ValueError, TypeError):
        raise UserError(f"{path} has other contents: {expected} was expected") from None
    check_shapes([flat], [(controller.parameter_count,)], path)
    return flat, score


def check_shapes(arrays: list[np.ndarray], shapes: list[tuple[int, ...]], path: Path) -> None:
    """Raise UserError if the arrays are not finite numbers of these shapes."""
    if len(arrays) != len(shapes):
        raise UserError(f"{path} has {len(arrays)} arrays; {len(shapes)} were expected")
    for number, (array, shape) in enumerate(zip(arrays, shapes, strict=True), 1):
        if array.shape != tuple(shape):
            raise UserError(f"{path}: array {number} is {array.shape}, not {tuple(shape)}")
        if not np.isfinite(array).all():
            raise UserError(f"{path}: array {number} has numbers that are not finite")
