// Open a crop: its pixels, labels and prediction come from the server and are shown.

import { get, getArray, post } from './api.js';
import { tell, takeBack } from './notices.js';
import { queue } from './queue.js';
import { changed, cropShown, store } from './store.js';

/** @type {Map<string, Float32Array>} */
const kept = new Map();
const MOST_KEPT_BYTES = 2 ** 27;

/** @type {import('./view.js').View} */
let view;

/** @param {import('./view.js').View} shownIn */
export function useView(shownIn) {
  view = shownIn;
}

/** Show a crop. @param {number} lane */
export async function openCrop(lane) {
  const crop = store.crops.find((one) => one.lane === lane);
  if (!crop) return;
  store.lane = lane;
  [store.height, store.width] = crop.size;
  store.labels = new Uint8Array(store.width * store.height);
  store.prediction = null;
  store.pixels = new Map();
  view.take();
  changed('crop', 'pixels', 'labels', 'prediction');
  takeBack('crop');
  try {
    await Promise.all([post('/api/show', { client: store.client, lane }), loadChannels(), loadLabels(), loadPrediction()]);
  } catch (error) {
    if (store.lane === lane) tell('crop', String(/** @type {Error} */ (error).message), [], 'problem');
  }
  sessionStorage.setItem('lane', String(lane));
  if (store.lane === lane) document.body.dataset.crop = crop.name;
}

/** Fetch the channels that are shown and not there yet, and their contrast. */
export async function loadChannels() {
  const { lane } = store;
  const slots = store.isGrey ? [store.slots[store.activeSlot]] : store.slots.filter((slot) => slot.isShown);
  await Promise.all(
    slots.map(async ({ channel }) => {
      const [pixels] = await Promise.all([pixelsOf(lane, channel), loadContrast(channel)]);
      if (store.lane === lane) store.pixels.set(channel, pixels);
    }),
  );
  if (store.lane === lane) changed('pixels');
}

/** @param {number} channel */
export async function loadContrast(channel) {
  if (store.contrasts.has(channel)) return;
  const { counts, from, to, low, high, highest } = await get(`/api/channels/${channel}/histogram`);
  store.contrasts.set(channel, { counts, from, to, low, high, highest, autoLow: low, autoHigh: high });
  changed('contrast');
}

export async function loadLabels() {
  const { lane } = store;
  const array = await getArray(`/api/crops/${lane}/labels`);
  if (store.lane !== lane || !array) return;
  store.areLabelsOld = store.isDrawing || queue.waiting.length > 0;
  if (store.areLabelsOld) return;
  store.labels = new Uint8Array(array.bytes);
  changed('labels', 'labelled');
}

/** Fetch the prediction of the crop that is shown, unless there is none. */
export async function loadPrediction() {
  const { lane } = store;
  const array = await getArray(`/api/crops/${lane}/prediction`);
  const crop = cropShown();
  if (store.lane !== lane || !array || !crop || isOlder(array.facts)) return;
  const n = crop.size[0] * crop.size[1];
  const { ids } = array.facts;
  store.prediction = {
    ...array.facts,
    planes: ids.map((/** @type {number} */ _, /** @type {number} */ k) => new Uint8Array(array.bytes, k * n, n)),
    classes: new Uint8Array(array.bytes, ids.length * n, n),
  };
  changed('prediction');
}

/** Whether an answer was overtaken by a newer one on its way. @param {{revision: number, trees: number}} facts */
function isOlder({ revision, trees }) {
  const { prediction } = store;
  if (!prediction) return false;
  return revision < prediction.revision || (revision === prediction.revision && trees < prediction.trees);
}

async function pixelsOf(/** @type {number} */ lane, /** @type {number} */ channel) {
  const key = `${lane} ${channel}`;
  const before = kept.get(key);
  if (before) return before;
  const array = await getArray(`/api/crops/${lane}/channels/${channel}`);
  const pixels = new Float32Array(/** @type {any} */ (array).bytes);
  kept.set(key, pixels);
  let bytes = [...kept.values()].reduce((sum, one) => sum + one.byteLength, 0);
  for (const [oldest, one] of kept) {
    if (bytes <= MOST_KEPT_BYTES || oldest === key) break;
    kept.delete(oldest);
    bytes -= one.byteLength;
  }
  return pixels;
}
