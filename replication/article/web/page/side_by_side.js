// Side by side: a recorded drive, V's reconstruction, and M's dream under the same actions.

import { Clock } from "./clock.js";
import { drawFrame, drawPixels } from "./drawing.js";
import { find } from "./finding.js";

const FIRST_DREAM = 0.25; // of a recording: where the first dream starts

export class SideBySideView {
  constructor(ask, facts, sheets) {
    this.ask = ask;
    this.facts = facts;
    this.sheets = sheets;
    this.isSeen = false;
    this.clock = new Clock(facts.game.fps, () => this.step());
    this.slider = find("drive-time");
    this.recording = find("drive-recording");
    facts.recordings.forEach(({ title }, number) => {
      this.recording.add(new Option(title, String(number)));
    });
    this.recording.addEventListener("input", () => this.choose());
    this.slider.addEventListener("input", () => this.begin(this.slider.valueAsNumber));
    find("drive-play").addEventListener("click", () => this.setPlaying(!this.clock.isRunning));
    find("drive-again").addEventListener("click", () => this.begin(this.time));
  }

  get length() {
    return this.facts.recordings[this.recording.selectedIndex].length;
  }

  /** Another recording, from a moment in its first half. */
  choose() {
    this.slider.max = this.length - 1;
    return this.begin(Math.floor(this.length * FIRST_DREAM));
  }

  /** M's dream begins at this frame. */
  async begin(time) {
    this.time = this.start = time;
    const question = { recording: this.recording.selectedIndex, time, seed: time };
    const { pixels } = await this.ask("begin", { dream: "beside", ...question });
    drawPixels(find("drive-dream"), pixels);
    await this.showGame();
  }

  async showGame() {
    const recording = this.recording.selectedIndex;
    drawFrame(find("drive-frame"), this.sheets[recording], this.time);
    const { pixels } = await this.ask("reconstruct", { recording, time: this.time });
    drawPixels(find("drive-picture"), pixels);
    this.slider.value = this.time;
    find("drive-place").value = `${this.time} of ${this.length}`;
    const seconds = (this.time - this.start) / this.facts.game.fps;
    find("drive-since").value = `${seconds.toFixed(1)} s on`;
  }

  async step() {
    if (this.time + 1 >= this.length) {
      this.setPlaying(false);
      return;
    }
    const question = { dream: "beside", action: "recorded", temperature: this.facts.temperature };
    const { pixels } = await this.ask("step", question);
    drawPixels(find("drive-dream"), pixels);
    this.time++;
    await this.showGame();
  }

  async setPlaying(wanted) {
    find("drive-play").textContent = wanted ? "pause" : "play";
    if (!wanted) this.clock.stop();
    else {
      if (this.time + 1 >= this.length) await this.begin(this.start);
      this.clock.start();
    }
  }

  setSeen(isSeen) {
    if (!isSeen && this.clock.isRunning) this.setPlaying(false);
  }
}
