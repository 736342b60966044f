// The page: build what is seen, then follow the hand and the server.

import { post, RefusedError } from './api.js';
import { showBrowser } from './browse.js';
import { showChannels } from './channels.js';
import { showClasses } from './classes.js';
import { loadLabels, openCrop, useView } from './crop.js';
import { openNew, showCrops } from './crops.js';
import { byId } from './dom.js';
import { showFeatures } from './features.js';
import { Hand } from './hand.js';
import { listenToKeys } from './keys.js';
import { showLayers } from './layers.js';
import { listen, loadState, startAgain, take } from './news.js';
import { tell, takeBack } from './notices.js';
import { queue } from './queue.js';
import { isTrainable, noteSaved, showStatus } from './status.js';
import { showTools } from './tools.js';
import { labelledOf, on, store } from './store.js';
import { View } from './view.js';

const HINT = 'hint-was-followed';

async function start() {
  await loadState();
  const view = new View();
  useView(view);
  byId('project').textContent = store.project.name;
  byId('project').title = `${store.project.folder}/${store.project.name}`;
  document.title = `${store.project.name} · label`;
  store.value = store.classes[0].id;
  const hand = new Hand(view);
  showChannels();
  showClasses();
  showTools();
  showLayers();
  showCrops();
  showFeatures();
  showBrowser();
  showStatus(view);
  listenToKeys(view, hand, () => void save());
  followQueue();
  followRuns();
  followHints();
  byId('save').addEventListener('click', () => void save());
  byId('browser').addEventListener('cut', async (/** @type {any} */ event) => {
    await loadState();
    await openNew(event.detail);
  });
  for (const button of document.querySelectorAll('dialog .dismiss')) {
    button.addEventListener('click', () => /** @type {HTMLDialogElement} */ (button.closest('dialog')).close());
  }
  const before = Number(sessionStorage.getItem('lane'));
  await openCrop(store.crops.some((crop) => crop.lane === before) ? before : store.crops[0].lane);
  view.fit();
  listen();
  byId('stage').focus();
  document.body.dataset.ready = 'true';
}

function followQueue() {
  queue.onAnswer = (answer, gesture) => {
    take(answer);
    const isKnown = gesture.kind === 'paint' && !store.areLabelsOld; // the page drew it itself
    if (!isKnown && queue.waiting.length === 0) void loadLabels();
  };
  queue.onRefusal = (error) => {
    tell('refused', error.message, [], 'problem');
    void startAgain();
  };
  addEventListener('beforeunload', (event) => {
    if (queue.waiting.length > 0) event.preventDefault();
  });
}

async function save(address = '/api/save') {
  byId('save').disabled = true;
  try {
    const answer = await post(address, {});
    takeBack('saving');
    noteSaved();
    if (answer.backup) tell('backup', `The project as it was before is kept as ${answer.backup}.`);
    if (answer.has_classifier === false) tell('saving', 'The labels are saved. There is no classifier yet: label at least two classes.');
    if (answer.run) tell('run', `${answer.run} goes on with this project. You can close this window.`);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    const isChanged = error instanceof RefusedError && error.kind === 'changed';
    const actions = isChanged ? [{ name: 'Take it over', run: () => void post('/api/takeover', {}) }] : [];
    tell('saving', message, actions, 'problem');
  }
  byId('save').disabled = store.isSaved;
}

function followRuns() {
  const show = () => {
    const [run] = store.runs;
    if (!run) takeBack('waiting');
    else {
      const go = { name: 'Save and continue the run', run: () => void save('/api/continue').then(show) };
      tell('waiting', `The run ${run.name} waits for a trained project in this folder.`, [go]);
    }
  };
  on('runs', show);
  show();
}

/** Say the next step where nothing can be predicted yet; the first hint goes with the first stroke. */
function followHints() {
  const show = () => {
    const labelled = store.classes.filter(({ id }) => labelledOf(id) > 0);
    let text = '';
    if (labelled.length === 0) {
      const [first, second] = store.classes;
      text = localStorage.getItem(HINT)
        ? ''
        : `Paint a thin line of ${first.name} (key 1), then one of ${second.name} (key 2). Lines across borders teach more than filled areas.`;
    } else if (!isTrainable()) {
      localStorage.setItem(HINT, 'yes');
      const missing = store.classes.find(({ id }) => labelledOf(id) === 0);
      text = missing ? `Now paint a line of ${missing.name}: with two classes the prediction begins.` : '';
    }
    byId('hint').textContent = text;
    byId('hint').hidden = !text;
  };
  on('counts crops classes', show);
  show();
}

start().catch((error) => tell('start', error.message, [], 'problem'));
