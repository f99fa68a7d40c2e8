// M's mixture: each dimension of z has K Gaussians and weights of its own (World Models, A.2).

/**
 * The head's output (Z, 3 K) -> weights, mu and sigma, each (Z, K).
 * A temperature divides the log-weights and multiplies the standard deviations by its root.
 */
export function readMixture(raw, mixtures, temperature) {
  const dimensions = raw.length / (3 * mixtures);
  const weights = new Float32Array(dimensions * mixtures);
  const mu = new Float32Array(weights.length);
  const sigma = new Float32Array(weights.length);
  for (let dimension = 0; dimension < dimensions; dimension++) {
    const from = dimension * 3 * mixtures;
    const to = dimension * mixtures;
    softmax(raw.subarray(from, from + mixtures), temperature, weights.subarray(to, to + mixtures));
    for (let k = 0; k < mixtures; k++) {
      mu[to + k] = raw[from + mixtures + k];
      sigma[to + k] = Math.exp(raw[from + 2 * mixtures + k]) * Math.sqrt(temperature);
    }
  }
  return { weights, mu, sigma, mixtures };
}

function softmax(logits, temperature, out) {
  const greatest = Math.max(...logits);
  let total = 0;
  for (let k = 0; k < out.length; k++) {
    out[k] = Math.exp((logits[k] - greatest) / temperature);
    total += out[k];
  }
  for (let k = 0; k < out.length; k++) out[k] /= total;
}

/** z (Z): uniform (Z) in [0, 1) chooses the Gaussian, by inversion; noise (Z) ~ N(0, I) the value. */
export function drawZ(mixture, uniform, noise) {
  const { weights, mu, sigma, mixtures } = mixture;
  const z = new Float32Array(uniform.length);
  for (let dimension = 0; dimension < z.length; dimension++) {
    const first = dimension * mixtures;
    let k = 0;
    let below = weights[first];
    while (k < mixtures - 1 && below <= uniform[dimension]) below += weights[first + ++k];
    z[dimension] = mu[first + k] + sigma[first + k] * noise[dimension];
  }
  return z;
}
