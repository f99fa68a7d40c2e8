// C: a linear policy on z, h and c (World Models, A.3), squashed by the game's own table.

import { dense, readDense } from "./dense.js";
import { unpack } from "./unpacking.js";

export function readController(packed, squash) {
  return {
    inputs: Int32Array.from(packed.inputs), // which of the numbers [z, h, c] each input is
    layers: packed.layers.map(readDense),
    table: unpack(squash.table), // (A, points)
    reach: squash.reach, // the table spans -reach..reach
  };
}

/** z (Z), state {h, c} -> the action (A). */
export function act(controller, z, state) {
  const seen = Float32Array.from([...z, ...state.h, ...state.c]);
  let x = Float32Array.from(controller.inputs, (place) => seen[place]);
  controller.layers.forEach((layer, number) => {
    if (number > 0) x = x.map(Math.tanh);
    x = dense(x, layer);
  });
  const { table, reach } = controller;
  const points = table.length / x.length;
  return x.map((output, number) => {
    const row = table.subarray(number * points, (number + 1) * points);
    return interpolate(row, output, reach);
  });
}

function interpolate(table, x, reach) {
  const place = ((Math.min(Math.max(x, -reach), reach) + reach) / (2 * reach)) * (table.length - 1);
  const left = Math.min(Math.floor(place), table.length - 2);
  return table[left] + (place - left) * (table[left + 1] - table[left]);
}
