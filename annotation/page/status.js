// The line at the bottom: where the cursor is and what is there; what is going on; how good the prediction is.

import { chances } from './classes.js';
import { byId, count, short } from './dom.js';
import { queue } from './queue.js';
import { changed, cropShown, labelledOf, on, store } from './store.js';

/** @type {import('./view.js').View} */
let view;

/** @param {import('./view.js').View} shown */
export function showStatus(shown) {
  view = shown;
  on('cursor crop prediction contrast', tellPlace);
  on('queue steps prediction live problem crop', tellProgress);
  on('quality', tellQuality);
  tellQuality();
}

/** Why there is no prediction. @type {{text: string}} */
export const problem = { text: '' };

function tellPlace() {
  const crop = cropShown();
  const { cursor } = view;
  const [x, y] = (cursor ?? [-1, -1]).map(Math.floor);
  chances.clear();
  if (!crop || x < 0 || y < 0 || x >= store.width || y >= store.height) {
    byId('place').textContent = crop ? `${crop.name}, ${crop.size[1]} × ${crop.size[0]} px` : '';
    return;
  }
  const i = y * store.width + x;
  const slots = store.isGrey ? [store.slots[store.activeSlot]] : store.slots.filter((slot) => slot.isShown);
  const values = slots.flatMap(({ channel }) => {
    const pixels = store.pixels.get(channel);
    return pixels ? [`${store.channels[channel]} ${short(pixels[i])}`] : [];
  });
  const { prediction } = store;
  prediction?.ids.forEach((id, k) => chances.set(id, prediction.planes[k][i] / 255));
  const likely = store.classes.flatMap(({ id, name }) => (chances.has(id) ? [`${name} ${(100 * (chances.get(id) ?? 0)).toFixed(0)} %`] : []));
  byId('place').textContent = [`x ${x}, y ${y}`, ...values, ...likely].join(' · ');
}

function tellProgress() {
  const n = queue.waiting.length;
  const isOld = isOutdated();
  byId('stale').hidden = !(store.prediction && isOld);
  let text = 'all strokes kept';
  if (queue.held) text = `not kept: ${count(n)} ${n === 1 ? 'stroke waits' : 'strokes wait'}, ${queue.held}`;
  else if (n > 0) text = 'keeping …';
  else if (problem.text) text = problem.text;
  else if (!store.isLive) text = 'all strokes kept · prediction is off (M)';
  else if (isOld && isTrainable()) text = 'all strokes kept · predicting …';
  byId('progress').textContent = text;
  byId('progress').title = text;
  byId('progress').classList.toggle('problem', Boolean(queue.held || problem.text));
  byId('saved').textContent = savedText();
  byId('save').disabled = store.isSaved && n === 0;
  document.body.dataset.kept = n === 0 ? String(store.revision) : '';
  document.body.dataset.prediction = store.prediction?.is_final && !isOld ? String(store.prediction.revision) : '';
}

export function isOutdated() {
  return queue.waiting.length > 0 || (store.prediction?.revision ?? -1) < store.revision;
}

export const isTrainable = () => store.classes.filter(({ id }) => labelledOf(id) > 0).length >= 2;

let savedAt = '';

/** Note that the project was saved now. */
export function noteSaved() {
  savedAt = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  changed('steps');
}

function savedText() {
  if (!store.isSaved || queue.waiting.length > 0) return 'not saved yet';
  return savedAt ? `saved ${savedAt}` : 'as in the project';
}

function tellQuality() {
  const { quality, qualityBefore } = store;
  const line = byId('quality');
  if (!quality) {
    line.textContent = '';
    line.title = '';
    return;
  }
  const isCrossed = quality.other_crops !== null;
  const value = isCrossed ? quality.other_crops : quality.out_of_bag;
  const before = qualityBefore && (isCrossed ? qualityBefore.other_crops : qualityBefore.out_of_bag);
  const arrow = before === null || before === undefined ? '' : value > before + 5e-4 ? ' ↑' : value < before - 5e-4 ? ' ↓' : ' →';
  const of = `${count(quality.pixels)} px in ${quality.crops} ${quality.crops === 1 ? 'crop' : 'crops'}`;
  line.textContent = `${(100 * value).toFixed(1)} %${arrow} ${isCrossed ? 'on left-out crops' : 'out of bag'}, of ${of}`;
  line.title = [
    isCrossed
      ? 'Labelled pixels that a forest of the other crops recognises, as in a new image.'
      : 'Labelled pixels that trees which did not draw them recognise; neighbours in the same stroke make it too good. Label a second crop for an honest number.',
    `Out of bag: ${(100 * quality.out_of_bag).toFixed(1)} %.`,
    ...quality.advice.map((/** @type {string} */ sentence) => `${sentence}.`),
  ].join('\n');
}
