// A transposed convolution of stride 2 without padding, as Keras' Conv2DTranspose.
//
// Pictures are (rows, columns, channels); the kernel is (in, rows, columns, out), so what an input
// pixel adds to a row of output pixels is one stretch of memory, and so are those pixels.

import { addRows, findRows } from "./rows.js";
import { unpack } from "./unpacking.js";

const STRIDE = 2;

export function readDeconvolution(packed, sideIn) {
  const [inputs, size, , outputs] = packed.kernel.shape;
  const side = (sideIn - 1) * STRIDE + size;
  return {
    kernel: unpack(packed.kernel),
    bias: unpack(packed.bias),
    size, // of the kernel
    inputs,
    outputs,
    sideIn,
    side, // of the picture that comes out
    out: new Float32Array(side * side * outputs),
    rows: new Int32Array(inputs),
    values: new Float32Array(inputs),
  };
}

/** Picture (sideIn, sideIn, inputs) -> the layer's own array (side, side, outputs). */
export function deconvolve(x, layer) {
  const { inputs, outputs, sideIn, out } = layer;
  for (let at = 0; at < out.length; at += outputs) out.set(layer.bias, at);
  for (let y = 0; y < sideIn; y++) {
    for (let column = 0; column < sideIn; column++) {
      spread(x, (y * sideIn + column) * inputs, y * STRIDE, column * STRIDE, layer);
    }
  }
  return out;
}

/** Add one input pixel, times the kernel, to the output pixels from (y, column) on. */
function spread(x, from, y, column, layer) {
  const { kernel, size, inputs, outputs, side, out, rows, values } = layer;
  const count = size * outputs;
  const found = findRows(x, from, inputs, size * count, rows, values);
  for (let row = 0; row < size; row++) {
    const at = ((y + row) * side + column) * outputs;
    addRows(out, at, kernel, rows, values, found, count);
    for (let i = 0; i < found; i++) rows[i] += count; // the kernel's next row
  }
}
