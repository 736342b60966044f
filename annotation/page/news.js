// What the server tells while the page is open, and what follows on the screen.

import { get } from './api.js';
import { loadLabels, loadPrediction, openCrop } from './crop.js';
import { tell, takeBack } from './notices.js';
import { problem } from './status.js';
import { changed, store } from './store.js';

/** Take all that the server knows. */
export async function loadState() {
  const state = await get('/api/state');
  Object.assign(store.project, { name: state.project, folder: state.folder, dataDir: state.data_dir });
  store.channels = state.channels;
  store.crops = state.crops;
  store.presets = state.presets;
  store.quality = state.quality ?? null;
  store.importance = state.importance ?? null;
  store.uncertainty = state.uncertainty?.crops ?? {};
  store.runs = state.runs;
  problem.text = state.problem ?? '';
  take(state);
  for (const [i, sentence] of state.told.entries()) tell(`told ${i}`, sentence);
  changed('crops', 'quality', 'importance', 'uncertainty', 'runs', 'problem');
}

/** Take what changes with every step. @param {any} news */
export function take(news) {
  if (news.revision < store.revision) return;
  store.revision = news.revision;
  store.isSaved = news.is_saved;
  store.undo = news.undo;
  store.redo = news.redo;
  const isNew = JSON.stringify(news.classes) !== JSON.stringify(store.classes);
  store.classes = news.classes;
  if (news.features) store.features = news.features;
  for (const [lane, counts] of Object.entries(news.lanes ?? {})) {
    const crop = store.crops.find((one) => one.lane === Number(lane));
    if (crop) crop.counts = /** @type {any} */ (counts);
  }
  if (isNew) changed('classes');
  changed('steps', 'counts');
}

/** Listen as long as the page is open. */
export function listen() {
  const events = new EventSource('/api/events');
  /** @type {Record<string, (value: any) => void>} */
  const kinds = {
    changed: (news) => void followOthers(news),
    prediction: ({ lane }) => {
      problem.text = '';
      changed('problem');
      if (lane === store.lane) void loadPrediction();
    },
    untrained: () => {
      store.prediction = null;
      store.quality = store.importance = null;
      store.uncertainty = {};
      changed('prediction', 'quality', 'importance', 'uncertainty');
    },
    problem: (news) => {
      problem.text = news.problem;
      changed('problem');
    },
    uncertainty: (news) => {
      store.uncertainty = news.crops;
      changed('uncertainty');
    },
    importance: (news) => {
      store.importance = news;
      changed('importance');
    },
    quality: (news) => {
      store.qualityBefore = store.quality;
      store.quality = news;
      changed('quality');
    },
    saved: take,
    runs: (news) => {
      store.runs = news.runs;
      changed('runs');
    },
    crops: () => void loadState(),
    pages: ({ open }) => {
      if (open > 1) tell('pages', `This project is open in ${open} windows. All show the same labels; undo takes back the last stroke of any.`);
      else takeBack('pages');
    },
    reload: () => void startAgain(),
  };
  for (const [kind, follow] of Object.entries(kinds)) {
    events.addEventListener(kind, (event) => follow(JSON.parse(/** @type {MessageEvent} */ (event).data)));
  }
  let wasLost = false;
  events.onerror = () => {
    wasLost = true;
    tell('lost', 'The server cannot be reached: it has ended, or the tunnel to it is broken. Strokes wait here and are kept when it is back.', [], 'problem');
  };
  events.onopen = () => {
    takeBack('lost');
    if (wasLost) void startAgain();
    wasLost = false;
  };
}

/** Show everything anew: something was missed. */
export async function startAgain() {
  store.revision = -1;
  await loadState();
  const lane = store.crops.some((crop) => crop.lane === store.lane) ? store.lane : store.crops[0]?.lane;
  if (lane !== undefined) await openCrop(lane);
}

/** @param {any} news */
async function followOthers(news) {
  take(news);
  const isOwnStroke = news.client === store.client;
  if (!isOwnStroke && news.lanes[store.lane]) await loadLabels();
}
