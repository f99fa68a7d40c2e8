// The page: start the worker, hand it the facts, and bring its three parts to life.

import { startWorker } from "./asking.js";
import { DreamView } from "./dreaming.js";
import { find } from "./finding.js";
import { SeeView } from "./see.js";
import { SideBySideView } from "./side_by_side.js";

const facts = JSON.parse(find("facts").textContent);

async function loadSheet({ sheet }) {
  const picture = new Image();
  picture.src = sheet;
  await picture.decode();
  return picture;
}

/** Call view.setSeen when a section comes into sight, or leaves it. */
function watch(id, view) {
  const update = () => view.setSeen(isInSight && !document.hidden);
  let isInSight = false;
  new IntersectionObserver(([{ isIntersecting }]) => {
    isInSight = isIntersecting;
    update();
  }).observe(find(id));
  document.addEventListener("visibilitychange", update);
}

async function startSeeing(ask, sheets) {
  const see = new SeeView(ask, facts, sheets);
  await see.showFrame();
  return see;
}

async function startDreaming(ask, sheets) {
  const dream = new DreamView(ask, facts, sheets);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) dream.setPlaying(false);
  await dream.begin();
  watch("dream-picture", dream);
  return dream;
}

async function startComparing(ask, sheets) {
  const beside = new SideBySideView(ask, facts, sheets);
  await beside.choose();
  watch("drive-dream", beside);
  return beside;
}

/** The parts by name; those that the run has nothing for are missing. */
async function start() {
  if (!facts.decoder) return {};
  const ask = startWorker(find("worker").textContent);
  const sheets = await Promise.all(facts.recordings.map(loadSheet));
  await ask("open", { facts });
  const parts = { ask, see: await startSeeing(ask, sheets) };
  if (facts.memory) {
    parts.dream = await startDreaming(ask, sheets);
    parts.beside = await startComparing(ask, sheets);
  }
  return parts;
}

/** A promise of the parts, for whoever looks at the page from its console. */
window.article = start();
window.article.catch((error) => {
  find("failure").textContent = `This browser cannot compute the page: ${error.message}`;
  find("failure").hidden = false;
});
