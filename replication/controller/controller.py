"""C: a linear policy and its flat parameter vector (World Models, A.3 and 3.3)."""

import itertools
from dataclasses import dataclass

from replication.tasks.task import Task
from replication.tf import tf

import numpy as np

HIDDEN_UNITS = 40  # of the mode z_hidden (paper 3.3, original model.py)


@dataclass(frozen=True)
class LinearPolicy:
    """The shape of C: which inputs its mode has, and how a flat vector (P,) is laid out.

    modes: z_h sees z and h; z sees z alone; z_hidden too, through a layer of 40 tanh units; z_c
    and z_c_h see M's c as well.
    """

    mode: str
    task: Task
    hidden: int = 256  # size of M's h and of its c

    @property
    def input_size(self) -> int:
        """How many numbers C sees."""
        memory = {"z_h": 1, "z": 0, "z_hidden": 0, "z_c": 1, "z_c_h": 2}[self.mode]
        return self.task.z_size + memory * self.hidden

    @property
    def parameter_count(self) -> int:
        """Length of the flat vector: 867 for z_h and the car."""
        return sum((inputs + self.task.bias) * outputs for inputs, outputs in self.layers)

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of each layer."""
        sizes = [self.input_size, self.task.action_size]
        if self.mode == "z_hidden":
            sizes.insert(1, HIDDEN_UNITS)
        return list(itertools.pairwise(sizes))

    def split(self, flat: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Biases (outputs,) and weights (inputs, outputs) of each layer of one flat vector (P,)."""
        layers, flat = [], flat[None]
        for inputs, outputs in self.layers:
            bias, weight, flat = self.unpack(flat, inputs, outputs)
            layers.append((np.asarray(bias)[0], np.asarray(weight)[0]))
        return layers

    def parts(self, z, h, c) -> list:
        """What C sees, in the original's order: z (B, Z), h and c (B, H)."""
        parts = {"z_h": [z, h], "z": [z], "z_hidden": [z], "z_c": [z, c], "z_c_h": [z, c, h]}
        return parts[self.mode]

    def features(self, z, h, c):
        """What C sees, in one: z (B, Z), h and c (B, H) -> (B, I)."""
        return tf.concat(self.parts(z, h, c), axis=1)

    def act(self, flat, z, h, c):
        """a_t of B controllers: flat (B, P), each row its own C -> actions (B, A)."""
        return self.task.squash(self.output(flat, self.features(z, h, c)), tf)

    def output(self, flat, x):
        """What C makes of its inputs x (B, I), before squashing: (B, A). flat is (B or 1, P)."""
        if self.mode == "z_hidden":
            bias, weight, flat = self.unpack(flat, x.shape[1], HIDDEN_UNITS)
            x = tf.tanh(_affine(x, bias, weight))  # (B, 40)
        bias, weight, _ = self.unpack(flat, x.shape[1], self.task.action_size)
        return _affine(x, bias, weight)

    def unpack(self, flat, inputs: int, outputs: int):
        """Biases, weights and the rest of flat vectors (B, P): the original's order.

        Biases first, (B, outputs), zero where the task has none; then the weights row by row,
        (B, inputs, outputs).
        """
        bias = flat[:, :outputs] if self.task.bias else 0 * flat[:, :outputs]
        start = outputs if self.task.bias else 0
        end = start + inputs * outputs
        return bias, _reshape(flat[:, start:end], (-1, inputs, outputs)), flat[:, end:]


def _reshape(values, shape):
    return values.reshape(shape) if isinstance(values, np.ndarray) else tf.reshape(values, shape)


def _affine(x, bias, weight):
    # A product and a sum of each row alone: no row's rounding depends on its neighbours.
    return tf.reduce_sum(x[:, :, None] * weight, axis=1) + bias
