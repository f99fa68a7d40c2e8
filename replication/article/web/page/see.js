// See: a recorded frame, V's picture of z, and sliders for what z carries.

import { drawFrame, drawPixels } from "./drawing.js";
import { find } from "./finding.js";

const FIRST_FRAME = 0.1; // of all frames: the one that the page opens with

export class SeeView {
  constructor(ask, facts, sheets) {
    this.ask = ask;
    this.sheets = sheets;
    this.moments = facts.recordings.flatMap(({ length }, recording) =>
      Array.from({ length }, (_, time) => ({ recording, time })),
    );
    this.seed = 0; // of the samples
    this.z = [];
    this.wanted = null; // the z that is to be painted next
    this.sliders = facts.sliders.map((slider) => this.makeSlider(slider, facts.reach));
    this.time = find("see-time");
    this.time.max = this.moments.length - 1;
    this.time.value = Math.floor(FIRST_FRAME * this.time.max);
    this.time.addEventListener("input", () => this.showFrame());
    find("see-back").addEventListener("click", () => this.showFrame());
    find("see-sample").addEventListener("click", () => this.showSample());
  }

  makeSlider({ dimension, nats }, reach) {
    const label = document.createElement("label");
    label.innerHTML = `<span class="name">z<sub>${dimension}</sub></span><input type="range">
      <span class="nats">${nats.toFixed(2)} nats</span>`;
    const input = label.querySelector("input");
    Object.assign(input, { min: -reach, max: reach, step: "any" });
    input.addEventListener("input", () => this.paint(dimension, input.valueAsNumber));
    find("see-sliders").append(label);
    return { dimension, input };
  }

  /** The frame at the slider's place, and V's reconstruction of it. */
  async showFrame() {
    const moment = this.moments[this.time.valueAsNumber];
    find("see-place").value = `${this.time.value} of ${this.moments.length}`;
    drawFrame(find("see-frame"), this.sheets[moment.recording], moment.time);
    const { z, pixels } = await this.ask("reconstruct", moment);
    this.show(z, pixels, "what V paints of its z");
  }

  async showSample() {
    const { z, pixels } = await this.ask("picture", { seed: ++this.seed });
    this.show(z, pixels, "what V paints of a sample");
  }

  show(z, pixels, what) {
    this.z = z;
    for (const { dimension, input } of this.sliders) input.value = z[dimension];
    find("see-what").textContent = what;
    drawPixels(find("see-picture"), pixels);
  }

  /** Move one dimension. While the worker paints, only the newest z waits. */
  async paint(dimension, value) {
    this.z[dimension] = value;
    const isBusy = this.wanted !== null;
    this.wanted = this.z.slice();
    find("see-what").textContent = "what V paints of the z that you set";
    if (isBusy) return;
    while (this.wanted) {
      const z = this.wanted;
      const { pixels } = await this.ask("picture", { z });
      drawPixels(find("see-picture"), pixels);
      if (this.wanted === z) this.wanted = null;
    }
  }
}
