"""C for dreams: as LinearPolicy acts, in compiled code, which is ten times as fast for small sums.

Its sums are made in another order than TensorFlow's, so actions may differ in their last bits.
"""

from replication.compiled import compiled
from replication.controller.controller import LinearPolicy
from replication.rollouts.loop import Seen, Trial

import numpy as np

LANES = 16  # partial sums: their order is one of the code's, not of the machine's


@compiled(fastmath={"contract"}, error_model="numpy", _nrt=False)
def affine(x, weight, bias, sums, y):
    """y (B, A) = weight (B, A, I) times x (B, I), and bias (B, A); I is a multiple of LANES.

    sums (LANES,) is overwritten.
    """
    rows, outputs, inputs = weight.shape
    for row in range(rows):
        for output in range(outputs):
            of_row, of_weight = x[row], weight[row, output]
            for lane in range(LANES):
                sums[lane] = 0
            for start in range(0, inputs, LANES):
                for lane in range(LANES):
                    sums[lane] += of_row[start + lane] * of_weight[start + lane]
            total = bias[row, output]
            for lane in range(LANES):
                total += sums[lane]
            y[row, output] = total


class Layer:
    """A layer of each of B controllers."""

    def __init__(self, width: int, inputs: int, outputs: int):
        padded = -(-inputs // LANES) * LANES
        self.inputs = inputs
        self.x = np.zeros((width, padded), np.float32)
        self.weight = np.zeros((width, outputs, padded), np.float32)
        self.bias, self.y = np.zeros((2, width, outputs), np.float32)
        self.sums = np.zeros(LANES, np.float32)

    def put(self, row: int, bias: np.ndarray, weight: np.ndarray) -> None:
        """A row's biases (A,) and weights (I, A)."""
        self.bias[row], self.weight[row, :, : self.inputs] = bias, weight.T

    def __call__(self) -> np.ndarray:
        """Outputs (B, A) of the inputs that stand in x (B, I)."""
        affine(self.x, self.weight, self.bias, self.sums, self.y)
        return self.y


class DreamControllers:
    """A C of its own for each slot of a dream."""

    def __init__(self, controller: LinearPolicy, width: int):
        self.controller = controller
        self.layers = [Layer(width, *sizes) for sizes in controller.layers]

    def begin(self, slot: int, trial: Trial) -> None:
        """The slot's next dream is this trial's."""
        parts = self.controller.split(np.float32(trial.parameters))
        for layer, (bias, weight) in zip(self.layers, parts, strict=True):
            layer.put(slot, bias, weight)

    def act(self, seen: Seen) -> np.ndarray:
        """a_t float32 (B, A)."""
        first, *rest = self.layers
        np.concatenate(self.controller.parts(*seen), axis=1, out=first.x[:, : first.inputs])
        y = first()
        for layer in rest:
            np.tanh(y, out=layer.x[:, : layer.inputs])
            y = layer()
        return self.controller.task.squash(y, np)
