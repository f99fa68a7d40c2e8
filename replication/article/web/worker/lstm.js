// One step of M's LSTM, as Keras': gates i, f, c, o.

import { addProduct, sigmoid } from "./dense.js";
import { unpack } from "./unpacking.js";

export function readLstm(packed) {
  const size = Math.max(packed.kernel.shape[0], packed.hidden);
  return {
    kernel: unpack(packed.kernel), // (inputs, 4 H)
    recurrent: unpack(packed.recurrent), // (H, 4 H)
    bias: unpack(packed.bias),
    hidden: packed.hidden,
    rows: new Int32Array(size),
    values: new Float32Array(size),
  };
}

/** inputs (I), state {h, c} (H) -> the next state, new arrays. */
export function stepLstm(lstm, inputs, state) {
  const { hidden, rows, values } = lstm;
  const gates = lstm.bias.slice();
  addProduct(inputs, lstm.kernel, rows, values, gates);
  addProduct(state.h, lstm.recurrent, rows, values, gates);
  const h = new Float32Array(hidden);
  const c = new Float32Array(hidden);
  for (let i = 0; i < hidden; i++) {
    const input = sigmoid(gates[i]) * Math.tanh(gates[2 * hidden + i]);
    c[i] = sigmoid(gates[hidden + i]) * state.c[i] + input;
    h[i] = sigmoid(gates[3 * hidden + i]) * Math.tanh(c[i]);
  }
  return { h, c };
}
