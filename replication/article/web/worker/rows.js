// out += x W, the one loop that takes the time: rows of W that belong to zeros cost nothing.

/** Add count numbers of one row of weights, times x, to out. */
function addRow(out, at, weights, row, x, count) {
  for (let j = 0; j < count; j++) out[at + j] += x * weights[row + j];
}

/** The same for four rows at once: a quarter of the reads and writes of out. */
function addFourRows(out, at, weights, rows, xs, first, count) {
  const a = rows[first];
  const b = rows[first + 1];
  const c = rows[first + 2];
  const d = rows[first + 3];
  const xa = xs[first];
  const xb = xs[first + 1];
  const xc = xs[first + 2];
  const xd = xs[first + 3];
  for (let j = 0; j < count; j++) {
    out[at + j] +=
      xa * weights[a + j] + xb * weights[b + j] + xc * weights[c + j] + xd * weights[d + j];
  }
}

/** Which inputs are not 0: their values in xs, where their weights start in rows. -> how many */
export function findRows(x, from, inputs, stride, rows, xs) {
  let found = 0;
  for (let i = 0; i < inputs; i++) {
    const value = x[from + i];
    if (value !== 0) {
      rows[found] = i * stride;
      xs[found++] = value;
    }
  }
  return found;
}

/** Add the found rows, each shifted by so much, to count numbers of out. */
export function addRows(out, at, weights, rows, xs, found, count) {
  let i = 0;
  for (; i + 4 <= found; i += 4) addFourRows(out, at, weights, rows, xs, i, count);
  for (; i < found; i++) addRow(out, at, weights, rows[i], xs[i], count);
}
