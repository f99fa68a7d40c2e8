"""The original's published agents, as its repository stores them (hardmaru/WorldModelsExperiments).

FOLDER/vae/vae.json                     V: kernel and bias of each layer, integers / 10,000
FOLDER/rnn/rnn.json                     M: output weights and bias, LSTM kernel and bias, the same
FOLDER/log/*.cma.*.best.json            C: [its numbers, its score]

V's layers are in Keras' order and layouts. M's LSTM is TensorFlow 1's: one kernel of rows z, action
(and restart), h; gates i, j, f, o; a forget bias of 1 is added as it runs. Here the gates are i, f,
j, o, the kernel is split, and that 1 is part of the bias. The mixture of a dimension is 5 logits, 5
means, 5 log deviations, here as there.
"""

import json
from pathlib import Path

from replication.config import UserError
from replication.controller.controller import LinearPolicy
from replication.rnn.rnn import MDNRNN
from replication.tf import keras

import numpy as np

SCALE = 10_000  # a weight w is stored as round(w * SCALE)


def read_arrays(path: Path) -> list[np.ndarray]:
    """The arrays of a JSON file, float32, as weights; UserError names what is wrong with it."""
    try:
        values = json.loads(path.read_text())
        return [np.array(value, np.float32) / SCALE for value in values]
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing: it belongs to the original's published agent"
        ) from None
    except (ValueError, TypeError) as error:
        reason = str(error).partition(". ")[0]
        raise UserError(f"{path} is not the original's list of arrays ({reason})") from None


def set_vae(encoder: keras.Model, decoder: keras.Model, path: Path) -> None:
    """Put the original's V into the two networks."""
    arrays = read_arrays(path)
    shapes = [w.shape for model in (encoder, decoder) for w in model.get_weights()]
    check_shapes(arrays, shapes, path)
    encoder.set_weights(arrays[: len(encoder.weights)])
    decoder.set_weights(arrays[len(encoder.weights) :])


def set_rnn(rnn: MDNRNN, path: Path) -> None:
    """Put the original's M into ours."""
    arrays = read_arrays(path)
    inputs, hidden = rnn.task.z_size + rnn.task.action_size, rnn.config.hidden
    outputs = rnn.head.kernel.shape[1]
    shapes = [(hidden, outputs), (outputs,), (inputs + hidden, 4 * hidden), (4 * hidden,)]
    check_shapes(arrays, shapes, path)
    output_weight, output_bias, kernel, bias = arrays
    kernel, bias = reorder_gates(kernel), reorder_gates(bias)
    bias[hidden : 2 * hidden] += 1  # the forget bias that the original adds as it runs
    rnn.lstm.set_weights([kernel[:inputs], kernel[inputs:], bias])
    rnn.head.set_weights([output_weight, output_bias])


def reorder_gates(values: np.ndarray) -> np.ndarray:
    """Columns (..., 4 H) of TensorFlow 1's gates i, j, f, o -> Keras' i, f, j, o."""
    i, j, f, o = np.split(values, 4, axis=-1)
    return np.concatenate([i, f, j, o], axis=-1)


def read_controller(controller: LinearPolicy, path: Path) -> tuple[np.ndarray, float]:
    """C's flat vector (P,), float32, and the score that the original logged for it."""
    try:
        values, score = json.loads(path.read_text())
        flat = np.array(values, np.float32)
        score = float(score)
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing: it belongs to the original's published agent"
        ) from None
    except (ValueError, TypeError):
        raise UserError(f"{path} is not the original's [numbers, score]") from None
    check_shapes([flat], [(controller.parameter_count,)], path)
    return flat, score


def check_shapes(arrays: list[np.ndarray], shapes: list[tuple], path: Path) -> None:
    """Raise UserError if the arrays are not of these shapes."""
    if len(arrays) != len(shapes):
        raise UserError(f"{path} has {len(arrays)} arrays; {len(shapes)} were expected")
    for number, (array, shape) in enumerate(zip(arrays, shapes, strict=True), 1):
        if array.shape != tuple(shape) or not np.isfinite(array).all():
            raise UserError(
                f"{path}: array {number} is {array.shape}; finite numbers {tuple(shape)} were"
                " expected"
            )
