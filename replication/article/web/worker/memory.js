// M: its memory, what it expects of the next z, and what its other heads say.

import { dense, readDense, sigmoid, softplus } from "./dense.js";
import { readLstm, stepLstm } from "./lstm.js";
import { readMixture } from "./mixture.js";

const MEANINGS = { event: sigmoid, number: (raw) => raw, count: softplus };

export function readMemory(packed) {
  const heads = Object.entries(packed.heads).map(([name, head]) => ({
    name,
    kind: head.kind,
    layer: readDense(head),
  }));
  return {
    lstm: readLstm(packed),
    mixture: readDense(packed.mixture),
    mixtures: packed.mixtures,
    hasRestart: packed.restart,
    heads,
  };
}

/** h_0 = c_0 = 0. */
export function noMemory(memory) {
  return { h: new Float32Array(memory.lstm.hidden), c: new Float32Array(memory.lstm.hidden) };
}

/** z_t, a_t, h_t, c_t -> h_{t+1}, c_{t+1}. isFirst: t is the first step of an episode. */
export function remember(memory, z, action, state, isFirst) {
  const restart = memory.hasRestart ? [Number(isFirst)] : [];
  return stepLstm(memory.lstm, Float32Array.from([...z, ...action, ...restart]), state);
}

/** p(z_{t+1}) given h_{t+1}. */
export function expectZ(memory, state, temperature) {
  return readMixture(dense(state.h, memory.mixture), memory.mixtures, temperature);
}

/** What the other heads say of a_t, by name: probabilities 0..1, numbers, or counts. */
export function readHeads(memory, state) {
  const said = {};
  for (const { name, kind, layer } of memory.heads) {
    const [raw] = dense(state.h, layer);
    said[name] = MEANINGS[kind](raw);
  }
  return said;
}

/** Whether a_t ended the dream: where that is likely, or by lot; uniform in [0, 1). */
export function isOver({ head, isDrawn }, heads, uniform) {
  if (head === null) return false;
  return isDrawn ? uniform < heads[head] : heads[head] > 0.5;
}
