// What V made of recorded frames, and M's memory along them.

import { noMemory, remember } from "./memory.js";
import { unpack } from "./unpacking.js";

export function readRecording(packed, zSize, actionSize) {
  return {
    mu: unpack(packed.mu), // (T, Z)
    logvar: unpack(packed.logvar),
    action: unpack(packed.action), // (T, A)
    length: packed.length,
    zSize,
    actionSize,
    states: null, // M's memory before each step, once it is asked for
  };
}

const row = (array, time, size) => array.slice(time * size, (time + 1) * size);

export function muAt(recording, time) {
  return row(recording.mu, time, recording.zSize);
}

export function actionAt(recording, time) {
  return row(recording.action, time, recording.actionSize);
}

/** z_t ~ N(mu, exp(logvar)). */
export function sampleAt(recording, time, noise) {
  const logvar = row(recording.logvar, time, recording.zSize);
  return muAt(recording, time).map((mu, i) => mu + Math.exp(logvar[i] / 2) * noise[i]);
}

/** M's h_t and c_t after all steps before t, of the means of z and the actions that were taken. */
export function stateAt(recording, memory, time) {
  if (!recording.states) {
    recording.states = [noMemory(memory)];
    for (let t = 0; t + 1 < recording.length; t++) {
      const [z, action] = [muAt(recording, t), actionAt(recording, t)];
      recording.states.push(remember(memory, z, action, recording.states[t], t === 0));
    }
  }
  return recording.states[time];
}
