// Packed arrays of packing.py -> Float32Array, row by row.

/** base64 -> the bytes themselves, as an ArrayBuffer. */
function bytesOf(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes.buffer;
}

/** The number that 16 bits of half precision stand for. */
export function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function fromHalves(bits) {
  const all = new Float32Array(65536);
  for (let i = 0; i < all.length; i++) all[i] = halfToNumber(i);
  const numbers = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) numbers[i] = all[bits[i]];
  return numbers;
}

function fromBytes(levels, scale) {
  const numbers = new Float32Array(levels.length);
  for (let i = 0; i < levels.length; i++) numbers[i] = levels[i] * scale[i % scale.length];
  return numbers;
}

export function unpack(packed) {
  const buffer = bytesOf(packed.data);
  if (packed.kind === "float32") return new Float32Array(buffer);
  if (packed.kind === "float16") return fromHalves(new Uint16Array(buffer));
  return fromBytes(new Int8Array(buffer), new Float32Array(bytesOf(packed.scale)));
}
