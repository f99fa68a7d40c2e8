// Dream: M dreams, V paints, and you or C drive.

import { Clock } from "./clock.js";
import { drawFrame, drawPixels } from "./drawing.js";
import { find } from "./finding.js";
import { Instruments } from "./instruments.js";
import { canTilt, Wheel } from "./wheel.js";

const PAUSE_AT_END = 1200; // milliseconds before a dream that has ended begins again

export class DreamView {
  constructor(ask, facts, sheets) {
    this.ask = ask;
    this.facts = facts;
    this.start = facts.starts[Math.min(1, facts.starts.length - 1)];
    this.seed = 0;
    this.steps = 0;
    this.over = 0;
    this.view = null; // the last step's
    this.driver = facts.controller ? "controller" : "you";
    this.wantsToPlay = true; // it runs while it is seen, too
    this.isSeen = false;
    this.picture = find("dream-picture");
    this.instruments = new Instruments(facts);
    const take = () => this.setDriver("you");
    this.wheel = new Wheel(facts.game, this.picture, find("dream-pad"), take);
    this.clock = new Clock(facts.game.fps, () => this.step());
    this.makeStarts(sheets);
    this.listen();
  }

  listen() {
    find("dream-play").addEventListener("click", () => this.toggle());
    find("dream-step").addEventListener("click", () => this.stepOnce());
    find("dream-again").addEventListener("click", () => this.begin());
    for (const radio of document.getElementsByName("driver")) {
      radio.addEventListener("change", () => this.setDriver(radio.value));
    }
    this.temperature = find("dream-temperature");
    this.temperature.value = this.facts.temperature;
    this.temperature.addEventListener("input", () => this.showTemperature());
    this.showTemperature();
    const tilt = find("dream-tilt");
    tilt.hidden = !canTilt();
    tilt.addEventListener("click", () => this.wheel.followTilt());
    this.picture.addEventListener("click", () => this.picture.focus());
    this.picture.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    const does = { " ": () => this.toggle(), s: () => this.stepOnce(), r: () => this.begin() };
    const action = does[event.key.toLowerCase()];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  makeStarts(sheets) {
    this.thumbnails = this.facts.starts.map((start, number) => {
      const button = document.createElement("button");
      button.setAttribute("aria-label", `start ${number + 1}: frame ${start.time}`);
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 64;
      drawFrame(canvas, sheets[start.recording], start.time);
      button.append(canvas);
      button.addEventListener("click", () => {
        this.start = start;
        this.begin();
      });
      find("dream-starts").append(button);
      return { start, button };
    });
  }

  showTemperature() {
    find("dream-degree").value = this.temperature.valueAsNumber.toFixed(2);
  }

  setDriver(driver) {
    this.driver = driver;
    for (const radio of document.getElementsByName("driver")) {
      radio.checked = radio.value === driver;
    }
  }

  /** A new dream from the chosen moment, with new random numbers. */
  async begin() {
    for (const { start, button } of this.thumbnails) {
      button.setAttribute("aria-pressed", String(start === this.start));
    }
    const view = await this.ask("begin", { dream: "dream", seed: this.seed++, ...this.start });
    this.steps = 0;
    this.over = 0; // when it ended
    this.instruments.clear(view);
    drawPixels(this.picture, view.pixels);
    this.showStatus(0);
  }

  async step() {
    if (this.over) {
      if (performance.now() - this.over > PAUSE_AT_END) await this.begin();
      return;
    }
    const action = this.driver === "controller" ? "controller" : this.wheel.action();
    const temperature = this.temperature.valueAsNumber;
    const view = await this.ask("step", { dream: "dream", action, temperature });
    this.steps++;
    this.view = view;
    if (view.ended) this.over = performance.now();
    drawPixels(this.picture, view.pixels);
    this.instruments.add(view);
    this.showStatus(view.milliseconds);
  }

  showStatus(milliseconds) {
    const seconds = (this.steps / this.facts.game.fps).toFixed(1);
    const end = this.over ? ": it ends here" : "";
    find("dream-status").textContent = `${seconds} s of M's dream${end}`;
    const { rate } = this.clock;
    find("dream-rate").value = rate
      ? `${rate.toFixed(0)} frames/s, ${milliseconds.toFixed(0)} ms each`
      : "";
  }

  stepOnce() {
    this.setPlaying(false);
    return this.step();
  }

  toggle() {
    this.setPlaying(!this.wantsToPlay);
  }

  setPlaying(wanted) {
    this.wantsToPlay = wanted;
    find("dream-play").textContent = wanted ? "pause" : "play";
    this.update();
  }

  setSeen(isSeen) {
    this.isSeen = isSeen;
    this.update();
  }

  update() {
    if (this.wantsToPlay && this.isSeen) this.clock.start();
    else this.clock.stop();
  }
}
