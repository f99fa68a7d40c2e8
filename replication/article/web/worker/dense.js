// A dense layer: out = x W + b, W (inputs, outputs).

import { addRows, findRows } from "./rows.js";
import { unpack } from "./unpacking.js";

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** log(1 + exp(x)), for any x. */
export const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export function readDense(packed) {
  const [inputs, outputs] = packed.weight.shape;
  return {
    weight: unpack(packed.weight),
    bias: unpack(packed.bias),
    inputs,
    outputs,
    rows: new Int32Array(inputs), // where the loops keep what they found
    values: new Float32Array(inputs),
  };
}

/** out += x W, for x of any length up to the rows of W. */
export function addProduct(x, weight, rows, values, out) {
  const found = findRows(x, 0, x.length, out.length, rows, values);
  addRows(out, 0, weight, rows, values, found, out.length);
}

/** x (inputs) -> a new array (outputs). */
export function dense(x, layer) {
  const out = layer.bias.slice();
  addProduct(x, layer.weight, layer.rows, layer.values, out);
  return out;
}
