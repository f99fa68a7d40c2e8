// What the driver holds: arrow keys on the picture, halves of it by touch, buttons, or a tilted phone.

import { actionOf, arrowKeys } from "./keys.js";

const GENTLY = 0.5; // the pedal under a touch of the picture
const FULL_TILT = 30; // degrees
const SIGNS = { ArrowLeft: "◀", ArrowRight: "▶", ArrowUp: "▲", ArrowDown: "▼" };

export class Wheel {
  /** onTaken is called when somebody begins to drive. */
  constructor(game, picture, pad, onTaken) {
    this.game = game;
    this.keys = arrowKeys(game);
    this.pressed = {}; // by keys and buttons
    this.touches = new Map(); // pointer -> the half that it holds
    this.tilt = 0; // -1..1
    this.onTaken = onTaken;
    this.listenToKeys(picture);
    this.listenToTouch(picture);
    this.makePad(pad);
  }

  /** The action that is held now, numbers (A). */
  action() {
    const held = { ...this.pressed };
    for (const half of this.touches.values()) {
      held[half] = 1;
      held.ArrowUp ??= GENTLY;
    }
    if (this.tilt !== 0) held[this.tilt < 0 ? "ArrowLeft" : "ArrowRight"] = Math.abs(this.tilt);
    return actionOf(this.game, this.keys, held);
  }

  press(key) {
    this.pressed[key] = 1;
    this.onTaken();
  }

  listenToKeys(picture) {
    picture.addEventListener("keydown", (event) => {
      if (!(event.key in this.keys)) return;
      event.preventDefault(); // arrows would scroll the page
      this.press(event.key);
    });
    picture.addEventListener("keyup", (event) => delete this.pressed[event.key]);
    picture.addEventListener("blur", () => {
      this.pressed = {};
    });
  }

  listenToTouch(picture) {
    picture.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse") return;
      const isLeft = event.offsetX < picture.clientWidth / 2;
      this.touches.set(event.pointerId, isLeft ? "ArrowLeft" : "ArrowRight");
      this.onTaken();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, (event) => this.touches.delete(event.pointerId));
    }
  }

  makePad(pad) {
    for (const [key, { place }] of Object.entries(this.keys)) {
      const button = document.createElement("button");
      button.textContent = SIGNS[key];
      button.setAttribute("aria-label", `${this.game.actions[place]}: ${key}`);
      button.addEventListener("pointerdown", () => this.press(key));
      for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
        button.addEventListener(end, () => delete this.pressed[key]);
      }
      pad.append(button);
    }
  }

  /** Steer by tilting from now on; the browser may ask first. */
  async followTilt() {
    const answer = await DeviceOrientationEvent.requestPermission?.();
    if (answer && answer !== "granted") return;
    addEventListener("deviceorientation", ({ gamma }) => {
      const tilt = Math.max(-1, Math.min(1, gamma / FULL_TILT));
      this.tilt = Math.abs(tilt) < 0.1 ? 0 : tilt;
    });
    this.onTaken();
  }
}

/** Whether this is a thing to be tilted. */
export function canTilt() {
  return "DeviceOrientationEvent" in window && matchMedia("(pointer: coarse)").matches;
}
