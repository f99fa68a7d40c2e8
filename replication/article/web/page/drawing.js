// Pictures, heat maps, strips and lines on canvases, in the page's own colours.

const SIDE = 64;
const COLUMNS = 20; // frames in a row of a sheet, as pictures.py lays them

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** V's picture, as the worker gives it. */
export function drawPixels(canvas, pixels) {
  canvas.getContext("2d").putImageData(new ImageData(pixels, SIDE, SIDE), 0, 0);
}

/** A recorded frame. */
export function drawFrame(canvas, sheet, time) {
  const [x, y] = [(time % COLUMNS) * SIDE, Math.floor(time / COLUMNS) * SIDE];
  canvas.getContext("2d").drawImage(sheet, x, y, SIDE, SIDE, 0, 0, SIDE, SIDE);
}

/** The canvas' context, at the screen's own resolution, empty. */
function cleared(canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return { context, width, height };
}

/** Numbers -1..1 in rows; from the first colour over the second to the third. */
export function drawHeat(canvas, numbers) {
  const rows = 2 ** Math.floor(Math.log2(Math.sqrt(numbers.length)) - 0.5);
  const columns = Math.ceil(numbers.length / rows);
  const { context, width, height } = cleared(canvas);
  const [low, high] = [colour("--low"), colour("--high")];
  numbers.forEach((number, i) => {
    context.globalAlpha = Math.min(1, Math.abs(number));
    context.fillStyle = number < 0 ? low : high;
    const [x, y] = [(i % columns) * (width / columns), Math.floor(i / columns) * (height / rows)];
    context.fillRect(x, y, width / columns, height / rows);
  });
}

/** Columns of weights (K), which sum to 1, the newest at the right; room for count columns. */
export function drawStrip(canvas, columns, count) {
  const { context, width, height } = cleared(canvas);
  const colours = Array.from({ length: columns[0]?.length ?? 0 }, (_, k) => colour(`--k${k % 7}`));
  const left = (number) => Math.round(width * (1 - (columns.length - number) / count));
  columns.forEach((weights, number) => {
    let y = 0;
    weights.forEach((weight, k) => {
      context.fillStyle = colours[k];
      context.fillRect(left(number), y, left(number + 1) - left(number), height - y);
      y += weight * height; // the next colour covers the rest
    });
  });
}

/** A line through numbers, the newest at the right; low and high are the least span it shows. */
export function drawLine(canvas, numbers, count, low, high) {
  const { context, width, height } = cleared(canvas);
  const [least, most] = [Math.min(low, ...numbers), Math.max(high, ...numbers)];
  const y = (number) => height - 3 - ((number - least) / (most - least)) * (height - 6);
  context.strokeStyle = colour("--line");
  context.strokeRect(0, y(0), width, 0);
  context.strokeStyle = colour("--high");
  context.lineWidth = 1.5;
  context.beginPath();
  numbers.forEach((number, i) => {
    context.lineTo(width - ((numbers.length - 1 - i) * width) / (count - 1), y(number));
  });
  context.stroke();
}
