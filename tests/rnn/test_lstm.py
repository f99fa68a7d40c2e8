"""The LSTM over sequences against Keras' own: the same bits, forward and backward."""

from replication.rnn.lstm import run_lstm
from replication.tf import keras, tf

import numpy as np
import pytest

T, INPUTS = 9, 35
SHAPES = [(64, 256), (1, 256), (5, 16), (3, 7)]  # B, H


def keras_lstm(lstm, x, state):
    return lstm(x, initial_state=state)


def built(hidden: int) -> keras.layers.LSTM:
    keras.utils.set_random_seed(0)
    lstm = keras.layers.LSTM(hidden, return_sequences=True, return_state=True)
    lstm.build((None, None, INPUTS))
    bias = lstm.cell.bias
    bias.assign(np.random.default_rng(1).standard_normal(bias.shape, np.float32))
    return lstm


def drawn(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.standard_normal(shape, np.float32) for shape in shapes]


def results(run, lstm, x, state=None) -> list:
    """Outputs, last state, and the gradients to weights, to inputs and to the first state."""
    given = [tf.constant(array) for array in (x, *(state or ()))]
    weighed = tf.constant(np.random.default_rng(2).standard_normal(x.shape[:2] + (lstm.units,)))

    @tf.function(input_signature=[tf.TensorSpec([None] * array.ndim) for array in given])
    def call(x, *state):
        with tf.GradientTape() as tape:
            tape.watch([x, *state])
            outputs, h, c = run(lstm, x, list(state) or None)
            loss = tf.reduce_sum(outputs * tf.cast(weighed, tf.float32)) + tf.reduce_sum(c)
        return [outputs, h, c, *tape.gradient(loss, [*lstm.trainable_variables, x, *state])]

    return [tensor.numpy() for tensor in call(*given)]


@pytest.mark.parametrize(("rows", "hidden"), SHAPES)
@pytest.mark.parametrize("begun", [False, True])
def test_numbers_and_gradients_are_keras_to_the_last_bit(rows, hidden, begun):
    lstm = built(hidden)
    x, *state = drawn((rows, T, INPUTS), (rows, hidden), (rows, hidden))
    state = state if begun else None
    ours, theirs = (results(run, lstm, x, state) for run in (run_lstm, keras_lstm))
    assert len(ours) == (9 if begun else 7)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_eager_calls_give_the_same():
    lstm = built(16)
    (x,) = drawn((2, T, INPUTS))
    for one, other in zip(run_lstm(lstm, x), keras_lstm(lstm, x, None), strict=True):
        np.testing.assert_array_equal(one, other)
