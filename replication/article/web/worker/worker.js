// The worker: V's decoder, M and C behind questions and answers, {id, kind, ...} -> {id, ...}.

import { act, readController } from "./controller.js";
import { decode, readDecoder, toPixels } from "./decoder.js";
import { beginDream, stepDream } from "./dream.js";
import { readMemory } from "./memory.js";
import { Random } from "./random.js";
import { actionAt, muAt, readRecording, sampleAt, stateAt } from "./recordings.js";

let agent = null; // what `open` has unpacked
const dreams = new Map(); // name -> {now, recording, time, random}

const paint = (z) => toPixels(decode(agent.decoder, z));

function open({ facts }) {
  const { z_size: zSize, actions } = facts.game;
  agent = {
    zSize,
    decoder: readDecoder(facts.decoder),
    memory: facts.memory && readMemory(facts.memory),
    controller: facts.controller && readController(facts.controller, facts.squash),
    end: { head: facts.end, isDrawn: facts.ends === "drawn" },
    recordings: facts.recordings.map((packed) => readRecording(packed, zSize, actions.length)),
  };
  return {};
}

/** The mean of z of a recorded frame, and V's picture of it. */
function reconstruct({ recording, time }) {
  const z = muAt(agent.recordings[recording], time);
  return { z, pixels: paint(z) };
}

/** V's picture of z; without z, of a sample ~ N(0, I). */
function picture({ z, seed }) {
  const chosen = z ?? new Random(seed).normals(agent.zSize);
  return { z: chosen, pixels: paint(chosen) };
}

/** Start the dream of this name at a recorded moment. */
function begin({ dream, recording, time, seed }) {
  const random = new Random(seed);
  const source = agent.recordings[recording];
  const z = sampleAt(source, time, random.normals(agent.zSize));
  const now = beginDream(z, stateAt(source, agent.memory, time), time === 0);
  dreams.set(dream, { now, source, time, random });
  return view(now, null);
}

/** One step. action: numbers (A), or "controller", or "recorded" for what was done then. */
function step({ dream, action, temperature }) {
  const current = dreams.get(dream);
  const { now, source, random } = current;
  const taken = chooseAction(action, now, source, current.time);
  const uniform = random.uniforms(agent.zSize + 1);
  const noise = random.normals(agent.zSize);
  current.now = stepDream(agent.memory, agent.end, now, taken, temperature, uniform, noise);
  current.time++;
  return view(current.now, taken);
}

function chooseAction(action, now, source, time) {
  if (action === "controller") return act(agent.controller, now.z, now.state);
  if (action === "recorded") return actionAt(source, Math.min(time, source.length - 1));
  return Float32Array.from(action);
}

function view(now, action) {
  const { z, state, weights, heads, ended } = now;
  return { pixels: paint(z), z, h: state.h, weights, heads, ended, action };
}

/** A step with given random numbers, and C's action there: what tests compare with Keras. */
function compute({ z, h, c, isFirst, action, temperature, uniform, noise }) {
  const array = (numbers) => Float32Array.from(numbers);
  const now = beginDream(array(z), { h: array(h), c: array(c) }, isFirst);
  const { memory, end, controller } = agent;
  const inputs = [array(action), temperature, array(uniform), array(noise)];
  const next = stepDream(memory, end, now, ...inputs);
  const chosen = controller && act(controller, now.z, now.state);
  return { ...next, h: next.state.h, c: next.state.c, chosen, pixels: paint(now.z) };
}

/** M's memory at a recorded moment. */
function recall({ recording, time }) {
  return stateAt(agent.recordings[recording], agent.memory, time);
}

const answers = { open, reconstruct, picture, begin, step, compute, recall };

addEventListener("message", ({ data: { id, kind, ...question } }) => {
  const begun = performance.now();
  try {
    const answer = answers[kind](question);
    postMessage({ id, answer, milliseconds: performance.now() - begun });
  } catch (error) {
    postMessage({ id, error: String(error) });
  }
});
