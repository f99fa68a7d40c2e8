"""An LSTM layer on a CPU: Keras' numbers, in two thirds of its time.

A gate's weights in rows of 4 x 256 float32 begin 4096 bytes apart, in the same few lines of a
cache: products with them ran at half of the processor's speed. Rows that are a little wider do not,
and every sum stays what it was, forward and backward.
"""

from replication.tf import keras, tf

SPARE = 16  # columns after the gates' that nobody reads


@tf.custom_gradient
def _product(x, weight, wide):
    """x (B, I) times wide (I, 4H + SPARE), which is weight (I, 4H) and zeros."""

    def gradient(upstream):
        to_x = tf.matmul(upstream[:, : weight.shape[1]], weight, transpose_b=True)  # (B, I)
        return to_x, None, tf.matmul(x, upstream, transpose_a=True)

    return tf.matmul(x, wide), gradient


class WideCell:
    """What an LSTM cell gives, to the last bit, its gradients included; its weights in wide rows.

    They are laid out when this is made: for a loop, make it outside. A GPU has no such trouble, and
    takes the cell as it is.
    """

    def __init__(self, cell: keras.layers.LSTMCell):
        """cell: built."""
        self.cell, self.plain = cell, bool(tf.config.get_visible_devices("GPU"))
        if self.plain:
            return
        self.weights = [tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel)]
        self.wide = [tf.pad(weight, [[0, 0], [0, SPARE]]) for weight in self.weights]
        self.bias = tf.pad(tf.convert_to_tensor(cell.bias), [[0, SPARE]])

    @tf.autograph.experimental.do_not_convert  # which would write files
    def __call__(self, x, h, c):
        """x_t (B, I), h_t, c_t (B, H) -> [h_{t+1}, c_{t+1}]."""
        if self.plain:
            return self.cell(x, [h, c])[1]
        z, recurrent = map(_product, (x, h), self.weights, self.wide)
        sizes = [self.cell.units] * 4 + [SPARE]
        gates = tf.split(tf.nn.bias_add(z + recurrent, self.bias), sizes, axis=1)
        i, f, o = (tf.sigmoid(gate) for gate in (gates[0], gates[1], gates[3]))
        c = f * c + i * tf.tanh(gates[2])  # (B, H)
        return [o * tf.tanh(c), c]


def run_lstm(lstm: keras.layers.LSTM, x, state=None):
    """What `lstm(x, initial_state=state)` gives, to the last bit, its gradients included.

    lstm: built, and set to return sequences and state. x (B, T, I), state h, c (B, H) each ->
    h_{1..T} (B, T, H), h_T, c_T. A GPU has a kernel of its own: there it is that call.
    """
    if tf.config.get_visible_devices("GPU"):
        return lstm(x, initial_state=state)
    if state is None:
        state = [tf.zeros((tf.shape(x)[0], lstm.units))] * 2
    return _run(WideCell(lstm.cell), x, *state)


def _run(cell: WideCell, x, h, c):
    steps = tf.shape(x)[1]
    inputs = tf.TensorArray(x.dtype, steps).unstack(tf.transpose(x, (1, 0, 2)))  # T of (B, I)
    outputs = tf.TensorArray(x.dtype, steps, element_shape=h.shape)

    def step(t, h, c, outputs):
        h, c = cell(inputs.read(t), h, c)
        return t + 1, h, c, outputs.write(t, h)

    _, h, c, outputs = tf.while_loop(
        lambda t, *_: t < steps, step, (0, h, c, outputs), maximum_iterations=steps
    )
    return tf.transpose(outputs.stack(), (1, 0, 2)), h, c  # (B, T, H), (B, H), (B, H)
