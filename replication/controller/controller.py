"""C: a linear policy and its flat parameter vector (World Models, A.3 and 3.3)."""

from replication.config import ACTIONS, Z_SIZE
from replication.controller.actions import squash
from replication.tf import tf

HIDDEN_UNITS = 40  # of the mode z_hidden (paper 3.3, original model.py)


def input_size(mode: str, hidden: int = 256) -> int:
    """How many numbers C sees in a mode; `hidden` is the size of M's h and of its c."""
    return Z_SIZE + {"z_h": hidden, "z": 0, "z_hidden": 0, "z_c": hidden, "z_c_h": 2 * hidden}[mode]


def parameter_count(mode: str, hidden: int = 256) -> int:
    """Length of the flat vector: 867 for z_h."""
    inputs = input_size(mode, hidden)
    if mode == "z_hidden":
        return (inputs + 1) * HIDDEN_UNITS + (HIDDEN_UNITS + 1) * ACTIONS
    return (inputs + 1) * ACTIONS


def features(mode: str, z, h, c):
    """What C sees: z (B, Z), h and c (B, H) -> (B, I), in the original's order."""
    seen = {"z_h": [z, h], "z": [z], "z_hidden": [z], "z_c": [z, c], "z_c_h": [z, c, h]}[mode]
    return tf.concat(seen, axis=1)


def unpack(flat, inputs: int, outputs: int):
    """Biases, weights and the rest of flat vectors (B, P): the original's order.

    Biases first, (B, outputs), then the weights row by row, (B, inputs, outputs).
    """
    end = outputs + inputs * outputs
    return flat[:, :outputs], tf.reshape(flat[:, outputs:end], (-1, inputs, outputs)), flat[:, end:]


def act(mode: str, flat, z, h, c):
    """a_t of B controllers: flat (B, P), each row its own C -> steer, gas, brake (B, 3)."""
    return squash(output(mode, flat, features(mode, z, h, c)), tf)


def output(mode: str, flat, x):
    """What C makes of its inputs x (B, I), before it is squashed: (B, 3). flat is (B or 1, P)."""
    if mode == "z_hidden":
        bias, weight, flat = unpack(flat, x.shape[1], HIDDEN_UNITS)
        x = tf.tanh(_affine(x, bias, weight))  # (B, 40)
    bias, weight, _ = unpack(flat, x.shape[1], ACTIONS)
    return _affine(x, bias, weight)


def _affine(x, bias, weight):
    # A product and a sum of each row alone: no row's rounding depends on its neighbours.
    return tf.reduce_sum(x[:, :, None] * weight, axis=1) + bias
