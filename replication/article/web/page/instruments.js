// What is shown beside the dream: the mixture's weights, h, the other heads, the action.

import { drawHeat, drawLine, drawStrip } from "./drawing.js";
import { find } from "./finding.js";

const STEPS = 200; // that strips and lines reach back

const RANGES = { event: [0, 1], number: [-0.1, 0.1], count: [0, 1] };

export class Instruments {
  constructor(facts) {
    this.game = facts.game;
    this.mixtures = facts.memory.mixtures;
    this.heads = facts.memory.heads;
    this.views = []; // of the last steps
    this.dimension = find("dream-dimension");
    for (let i = 0; i < facts.game.z_size; i++) this.dimension.add(new Option(i, i));
    this.dimension.value = facts.switching;
    this.dimension.addEventListener("input", () => this.draw());
    this.bars = facts.game.actions.map((name) => this.makeBar(name));
  }

  makeBar(name) {
    const row = document.createElement("div");
    row.innerHTML = `<span></span><span class="track"><span class="bar"></span></span><span></span>`;
    row.firstChild.textContent = name;
    find("dream-actions").append(row);
    return row;
  }

  /** Forget the steps: a dream begins. */
  clear(view) {
    this.views = [view];
    this.draw();
  }

  add(view) {
    this.views.push(view);
    if (this.views.length > STEPS) this.views.shift();
    this.draw();
  }

  draw() {
    const newest = this.views.at(-1);
    if (!newest) return;
    const steps = this.views.filter(({ weights }) => weights);
    const from = Number(this.dimension.value) * this.mixtures;
    const columns = steps.map(({ weights }) => weights.subarray(from, from + this.mixtures));
    drawStrip(find("dream-mixture"), columns, STEPS);
    drawHeat(find("dream-memory"), newest.h);
    for (const [name, head] of Object.entries(this.heads)) {
      this.drawHead(name, head.kind, steps);
    }
    for (const [place, bar] of this.bars.entries()) {
      this.drawBar(bar, place, newest.action?.[place] ?? 0);
    }
  }

  drawHead(name, kind, steps) {
    const numbers = steps.map(({ heads }) => heads[name]);
    const [low, high] = RANGES[kind];
    drawLine(find(`head-${name}`), numbers, STEPS, low, high);
    find(`head-${name}-now`).value = numbers.length > 0 ? numbers.at(-1).toFixed(2) : "";
  }

  drawBar(row, place, value) {
    const { low, high } = this.game;
    const part = (number) => (100 * (number - low[place])) / (high[place] - low[place]);
    const [from, to] = [part(Math.min(0, value)), part(Math.max(0, value))];
    const bar = row.querySelector(".bar");
    bar.style.left = `${from}%`;
    bar.style.width = `${to - from}%`;
    row.lastChild.textContent = value.toFixed(2);
  }
}
