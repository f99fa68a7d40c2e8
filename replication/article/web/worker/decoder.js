// V's decoder: z -> a picture of 64 by 64 (World Models, A.1).

import { deconvolve, readDeconvolution } from "./deconvolution.js";
import { dense, readDense, sigmoid } from "./dense.js";

export function readDecoder(packed) {
  const layers = [];
  let side = 1;
  for (const layer of packed.deconvs) {
    layers.push(readDeconvolution(layer, side));
    side = layers.at(-1).side;
  }
  return { dense: readDense(packed.dense), layers, side };
}

/** z (Z) -> (64, 64, 3), 0..1. The array is the decoder's own: the next picture overwrites it. */
export function decode(decoder, z) {
  let x = dense(z, decoder.dense);
  const last = decoder.layers.at(-1);
  for (const layer of decoder.layers) {
    x = deconvolve(x, layer);
    if (layer !== last) rectify(x);
  }
  for (let i = 0; i < x.length; i++) x[i] = sigmoid(x[i]);
  return x;
}

function rectify(x) {
  for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] = 0;
}

/** The picture as a canvas takes it: red, green, blue, opaque, 0..255, rounded. */
export function toPixels(picture) {
  const pixels = new Uint8ClampedArray((picture.length / 3) * 4);
  for (let from = 0, to = 0; from < picture.length; from += 3, to += 4) {
    pixels[to] = picture[from] * 255; // a clamped array rounds
    pixels[to + 1] = picture[from + 1] * 255;
    pixels[to + 2] = picture[from + 2] * 255;
    pixels[to + 3] = 255;
  }
  return pixels;
}
