// What is laid over the image: the prediction in one of four forms, or nothing.

import { post } from './api.js';
import { byId } from './dom.js';
import { changed, LAYERS, on, store } from './store.js';

export function showLayers() {
  for (const layer of LAYERS) byId(`layer-${layer}`).addEventListener('change', () => chooseLayer(layer));
  byId('opacity').addEventListener('input', (/** @type {any} */ event) => {
    store.opacity = Number(event.target.value) / 100;
    changed('opacity');
  });
  byId('labels-shown').addEventListener('change', toggleLabels);
  byId('live').addEventListener('change', toggleLive);
  on('layer showsLabels live', update);
  update();
}

/** @param {string} layer */
export function chooseLayer(layer) {
  store.layer = layer;
  changed('layer');
}

export function toggleLabels() {
  store.showsLabels = !store.showsLabels;
  changed('showsLabels');
}

/** Answer strokes at once, or not. */
export function toggleLive() {
  store.isLive = !store.isLive;
  changed('live');
  void post('/api/pause', { is_paused: !store.isLive });
}

function update() {
  byId(`layer-${store.layer}`).checked = true;
  byId('labels-shown').checked = store.showsLabels;
  byId('live').checked = store.isLive;
}
