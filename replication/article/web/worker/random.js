// Random numbers that follow from a seed: Tommy Ettinger's mulberry32, and Box and Muller's normals.

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** A number in [0, 1). */
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let x = this.state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A number ~ N(0, 1). */
  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  uniforms(count) {
    return Float32Array.from({ length: count }, () => this.uniform());
  }

  normals(count) {
    return Float32Array.from({ length: count }, () => this.normal());
  }
}
