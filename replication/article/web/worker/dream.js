// M's dream, on the timeline of rollouts/loop.py: a_t on z_t and h_t; the LSTM; z_{t+1} of its mixture.

import { expectZ, isOver, readHeads, remember } from "./memory.js";
import { drawZ } from "./mixture.js";

/** One step with given random numbers: uniform (Z + 1), the last for the end; noise (Z). */
export function stepDream(memory, rule, now, action, temperature, uniform, noise) {
  const state = remember(memory, now.z, action, now.state, now.isFirst);
  const mixture = expectZ(memory, state, temperature);
  const heads = readHeads(memory, state);
  const z = drawZ(mixture, uniform.subarray(0, -1), noise);
  const ended = isOver(rule, heads, uniform.at(-1));
  return { z, state, isFirst: false, weights: mixture.weights, heads, ended };
}

/** Where a dream starts: z_t drawn of V's posterior, and M's memory there. */
export function beginDream(z, state, isFirst) {
  return { z, state, isFirst, weights: null, heads: {}, ended: false };
}
