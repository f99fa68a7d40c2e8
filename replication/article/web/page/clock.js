// Steps at the game's own pace, each begun when the last one is done; and how fast they come.

const WINDOW = 1000; // milliseconds over which the rate is taken
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Clock {
  /** step: an async function, called fps times a second while the clock runs. */
  constructor(fps, step) {
    this.period = 1000 / fps;
    this.step = step;
    this.round = null; // the loop that runs; a new one for each start
    this.times = []; // of the steps in the last second
  }

  /** Steps a second, over the last one; 0 until there are two. */
  get rate() {
    const spent = this.times.at(-1) - this.times[0];
    return this.times.length > 1 ? ((this.times.length - 1) * 1000) / spent : 0;
  }

  get isRunning() {
    return this.round !== null;
  }

  stop() {
    this.round = null;
  }

  async start() {
    if (this.isRunning) return;
    const mine = Symbol("round");
    this.round = mine;
    this.times = [];
    let due = performance.now();
    while (this.round === mine) {
      await this.step();
      this.note(performance.now());
      due = Math.max(due + this.period, performance.now() - this.period);
      await wait(Math.max(0, due - performance.now()));
    }
  }

  note(now) {
    this.times.push(now);
    while (now - this.times[0] > WINDOW) this.times.shift();
  }
}
