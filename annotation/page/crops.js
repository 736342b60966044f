// All crops as small pictures, with how much is labelled and how uncertain the prediction is.

import { pictureAddress } from './api.js';
import { shownChannels } from './channels.js';
import { openCrop } from './crop.js';
import { byId, count, labelledPixels, make } from './dom.js';
import { changed, labelledIn, on, store } from './store.js';

const PICTURE_PX = 88;
const REDRAW_MS = 400; // after the last change of contrast
const TAIL = 9; // characters
const MUCH = 400; // labelled pixels that fill the bar

let byUncertainty = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let redrawing;

export function showCrops() {
  byId('sort').addEventListener('click', toggleSort);
  on('crops', build);
  on('crop', () => markShown(true));
  on('counts labelled uncertainty', () => {
    if (byUncertainty) sort();
    update();
  });
  on('contrast slots grey', () => {
    clearTimeout(redrawing);
    redrawing = setTimeout(redraw, REDRAW_MS);
  });
  build();
}

/** Open the crop before or behind the one that is shown, as they are listed. @param {number} step */
export function stepCrop(step) {
  const lanes = listed();
  const at = lanes.indexOf(store.lane);
  if (at + step >= 0 && at + step < lanes.length) void openCrop(lanes[at + step]);
}

/** Open the crop where the prediction is least sure; the region is put into the middle. @param {import('./view.js').View} view */
export async function openMostUncertain(view) {
  const ranked = Object.entries(store.uncertainty).sort(([, a], [, b]) => b.mean - a.mean);
  if (ranked.length === 0) return;
  const [lane, { y, x }] = ranked.find(([lane]) => Number(lane) !== store.lane) ?? ranked[0];
  await openCrop(Number(lane));
  view.centre(x, y, 4);
}

function toggleSort() {
  byUncertainty = !byUncertainty;
  byId('sort').textContent = byUncertainty ? 'least sure first' : 'in order';
  byId('sort').setAttribute('aria-pressed', String(byUncertainty));
  sort();
}

function listed() {
  return [...byId('crops').children].map((item) => Number(/** @type {HTMLElement} */ (item).dataset.lane));
}

function build() {
  byId('crops').replaceChildren(
    ...store.crops.map(({ lane, name, size }) => {
      const picture = make('img', { loading: 'lazy', alt: '', width: 44, height: 44, draggable: false });
      const item = make(
        'li',
        {},
        make(
          'button',
          { type: 'button', onclick: () => void openCrop(lane) },
          picture,
          make('span.name', { title: `${name}, ${size[1]} × ${size[0]} px` }, ...shortened(name)),
          make('span.bar.labelled', {}, make('span', {})),
          make('span.bar.unsure', {}, make('span', {})),
        ),
      );
      item.dataset.lane = String(lane);
      return item;
    }),
  );
  byId('crop-count').textContent = count(store.crops.length);
  if (byUncertainty) sort();
  redraw();
  markShown(false);
  update();
}

/** The name of the image a crop is from: its end stays where there is no room. @param {string} name */
function shortened(name) {
  const image = name.replace(/_x\d+_y\d+_w\d+_h\d+$/, '');
  const cut = Math.max(image.length - TAIL, 0);
  return [make('span', {}, image.slice(0, cut)), make('span', {}, image.slice(cut))];
}

function sort() {
  const list = byId('crops');
  const doubt = (/** @type {any} */ item) => store.uncertainty[item.dataset.lane]?.mean ?? -1;
  const items = [...list.children].sort((a, b) =>
    byUncertainty ? doubt(b) - doubt(a) : Number(a.dataset.lane) - Number(b.dataset.lane),
  );
  const isAsBefore = items.every((item, i) => item === list.children[i]);
  if (!isAsBefore && !list.matches(':hover')) list.replaceChildren(...items);
}

function markShown(/** @type {boolean} */ isScrolled) {
  for (const item of byId('crops').children) {
    const isShown = Number(item.dataset.lane) === store.lane;
    item.firstElementChild.setAttribute('aria-current', String(isShown));
    if (isShown && isScrolled) item.scrollIntoView({ block: 'nearest' });
  }
}

function update() {
  const bars = new Map(store.crops.map((crop) => [String(crop.lane), labelledIn(crop)]));
  for (const item of byId('crops').children) {
    const n = bars.get(item.dataset.lane) ?? 0;
    const [labelled, unsure] = item.querySelectorAll('.bar');
    labelled.firstElementChild.style.width = `${100 * Math.min(Math.sqrt(n / MUCH), 1)}%`;
    labelled.title = labelledPixels(n);
    const doubt = store.uncertainty[item.dataset.lane]?.mean;
    unsure.firstElementChild.style.width = `${100 * (doubt ?? 0)}%`;
    unsure.title = doubt === undefined ? 'Not predicted yet' : `${(100 * doubt).toFixed(0)} % unsure`;
  }
}

function redraw() {
  const shown = shownChannels();
  if (shown.length === 0) return;
  for (const item of byId('crops').children) {
    const address = pictureAddress(`/api/crops/${item.dataset.lane}/picture`, shown, PICTURE_PX);
    const picture = item.querySelector('img');
    if (picture.getAttribute('src') !== address) picture.src = address;
  }
}

/** Make room for a crop that was cut, and show it. @param {number} lane */
export async function openNew(lane) {
  changed('crops');
  await openCrop(lane);
}
