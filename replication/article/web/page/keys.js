// Which arrow moves which number of an action: found in the game's facts, not written for a game.

const OPPOSITES = [
  ["ArrowLeft", "ArrowRight"],
  ["ArrowDown", "ArrowUp"],
];
const PEDALS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];
const NAMED = { left: "ArrowLeft", right: "ArrowRight", up: "ArrowUp", down: "ArrowDown" };

/**
 * {key: {place, value}}: what an arrow that is held gives to the number at this place of an action.
 * A number with both signs, as steering, has two opposite arrows; one without, as gas, has one: that
 * of its name, or the next free one.
 */
export function arrowKeys({ actions, low, high }) {
  const keys = {};
  const pairs = [...OPPOSITES];
  actions.forEach((_, place) => {
    if (low[place] < 0 && pairs.length > 0) {
      const [down, up] = pairs.shift();
      keys[down] = { place, value: low[place] };
      keys[up] = { place, value: high[place] };
    }
  });
  actions.forEach((name, place) => {
    const key = NAMED[name] ?? PEDALS.find((pedal) => !(pedal in keys));
    if (low[place] >= 0 && key) keys[key] = { place, value: high[place] };
  });
  return keys;
}

/** The action of what is held: {key: how far, 0..1}. Nothing held is 0, or the least there is. */
export function actionOf({ low, high }, keys, held) {
  const action = low.map((least, place) => Math.min(Math.max(0, least), high[place]));
  for (const [key, amount] of Object.entries(held)) {
    if (keys[key]) action[keys[key].place] += amount * keys[key].value;
  }
  return action.map((number, place) => Math.min(Math.max(number, low[place]), high[place]));
}
