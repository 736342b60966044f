// Which features the classifier sees: Ilastik's table of features and scales, with what each is worth.

import { byId, make } from './dom.js';
import { send } from './queue.js';
import { on, store } from './store.js';

const NAMES = {
  GaussianSmoothing: ['Gaussian smoothing', 'brightness'],
  LaplacianOfGaussian: ['Laplacian of Gaussian', 'spots and edges'],
  GaussianGradientMagnitude: ['Gradient magnitude', 'edges'],
  DifferenceOfGaussians: ['Difference of Gaussians', 'spots'],
  StructureTensorEigenvalues: ['Structure tensor', 'texture'],
  HessianOfGaussianEigenvalues: ['Hessian eigenvalues', 'ridges'],
};
const PRESETS = { fast: 'Fast', '>=1px': 'From 1 px on (default)', all: 'All' };
const SMALLEST = { StructureTensorEigenvalues: 0.5 };

/** @type {boolean[][]} */
let draft = [];

export function showFeatures() {
  byId('open-features').addEventListener('click', open);
  byId('presets').replaceChildren(
    ...Object.entries(PRESETS).map(([name, title]) =>
      make('button', { type: 'button', textContent: title, onclick: () => take(store.presets[name].matrix) }),
    ),
  );
  byId('apply-features').addEventListener('click', () => void apply());
  on('importance', () => {
    if (byId('features').open) build();
  });
}

function open() {
  take(store.features.matrix);
  byId('features').showModal();
}

/** @param {boolean[][]} matrix */
function take(matrix) {
  draft = matrix.map((row) => [...row]);
  while (draft.length < store.features.ids.length) draft.push([]);
  build();
}

function build() {
  const { ids, scales } = store.features;
  const worth = new Map((store.importance?.pairs ?? []).map((/** @type {any} */ [name, scale, share]) => [`${name} ${scale}`, share]));
  const most = Math.max(...worth.values(), 1e-9);
  const head = make('tr', {}, make('th', {}, 'Scale, px'), ...scales.map((/** @type {number} */ scale) => make('th', { scope: 'col' }, String(scale))));
  const rows = ids.map((/** @type {keyof NAMES} */ id, /** @type {number} */ y) => {
    const [name, what] = NAMES[id];
    const cells = scales.map((/** @type {number} */ scale, /** @type {number} */ x) => {
      const share = worth.get(`${id} ${scale}`) ?? 0;
      const label = `${name} at ${scale} px${share ? `, ${(100 * share).toFixed(1)} % of all decisions` : ''}`;
      const box = make('input', {
        type: 'checkbox',
        checked: draft[y][x] ?? false,
        disabled: scale < (/** @type {any} */ (SMALLEST)[id] ?? 0.25),
        title: label,
        'aria-label': label,
        onchange: (/** @type {any} */ event) => {
          draft[y][x] = event.target.checked;
          tellCost();
        },
      });
      const bar = make('span.worth', {});
      bar.style.height = `${(20 * share) / most}px`;
      return make('td', {}, box, bar);
    });
    return make('tr', {}, make('th', { scope: 'row' }, name, make('small', {}, what)), ...cells);
  });
  byId('matrix').replaceChildren(make('thead', {}, head), make('tbody', {}, ...rows));
  const channels = Object.entries(store.importance?.channels ?? {}).slice(0, 6);
  byId('channel-worth').textContent = channels.length
    ? `Decisions by channel: ${channels.map(([name, share]) => `${name} ${(100 * Number(share)).toFixed(0)} %`).join(', ')}`
    : 'Bars beside the boxes will show how much each feature decides, once there is a prediction.';
  tellCost();
}

function tellCost() {
  const columns = draft.reduce((sum, row, y) => {
    const values = /Eigenvalues/.test(store.features.ids[y]) ? 2 : 1;
    return sum + values * row.filter(Boolean).length;
  }, 0);
  byId('feature-cost').textContent = `${columns * store.channels.length} columns (${columns} a channel)`;
  byId('apply-features').disabled = columns === 0;
}

async function apply() {
  const { ids, scales } = store.features;
  const matrix = ids.map((/** @type {string} */ _, /** @type {number} */ y) => scales.map((/** @type {number} */ __, /** @type {number} */ x) => Boolean(draft[y][x])));
  byId('features').close();
  const isAsBefore = JSON.stringify(matrix) === JSON.stringify(store.features.matrix);
  if (!isAsBefore) await send({ kind: 'features', features: { ids, scales, matrix } });
}
