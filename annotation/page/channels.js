// Up to three channels, each in a colour, with contrast on its histogram.

import { byId, css, icon, make, short } from './dom.js';
import { loadChannels, loadContrast } from './crop.js';
import { changed, on, store } from './store.js';

const COLORS = [
  [255, 255, 255], [255, 0, 0], [0, 255, 0], [64, 96, 255], [0, 255, 255], [255, 0, 255], [255, 255, 0], [255, 150, 0],
];
const NAMES = ['grey', 'red', 'green', 'blue', 'cyan', 'magenta', 'yellow', 'orange'];
const START = [[255, 0, 255], [0, 255, 255], [255, 255, 0]];
const EYE = 'M1.5 8s2.5-4.5 6.5-4.5S14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8Zm6.5 2a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z';
const STEPS = 1000; // of a handle

export function showChannels() {
  const n = Math.min(3, store.channels.length);
  const first = store.channels[0] === 'mean' && store.channels.length > n ? 1 : 0; // of all channels: in each of the others
  store.slots = Array.from({ length: n }, (_, i) => ({
    channel: i + first,
    color: n === 1 ? COLORS[0] : START[i],
    isShown: true,
  }));
  byId('slots').replaceChildren(...store.slots.map(slotRow));
  byId('grey').addEventListener('click', toggleGrey);
  on('slots grey contrast', update);
  update();
}

/** Show the next channel in the slot that is chosen. @param {number} step */
export function stepChannel(step) {
  const n = store.channels.length;
  setChannel(store.activeSlot, (store.slots[store.activeSlot].channel + step + n) % n);
}

export function toggleGrey() {
  store.isGrey = !store.isGrey;
  changed('grey');
  void loadChannels();
}

/** Up to three channels as small pictures are drawn with. */
export function shownChannels() {
  const slots = store.isGrey ? [{ ...store.slots[store.activeSlot], color: COLORS[0], isShown: true }] : store.slots;
  return slots.flatMap(({ channel, color, isShown }) => {
    const contrast = store.contrasts.get(channel);
    return isShown && contrast ? [{ channel, color, low: contrast.low, high: contrast.high }] : [];
  });
}

/** @param {number} index @param {number} channel */
function setChannel(index, channel) {
  store.slots[index].channel = channel;
  changed('slots');
  void loadContrast(channel).then(loadChannels);
}

/** @param {any} slot @param {number} index */
function slotRow(slot, index) {
  const options = store.channels.map((name, channel) => make('option', { value: String(channel), textContent: name }));
  const choice = make(
    'select',
    {
      'aria-label': `Channel ${index + 1}`,
      title: 'Channel (↑ and ↓ step through them)',
      onchange: (/** @type {any} */ event) => setChannel(index, Number(event.target.value)),
      onfocus: () => activate(index),
    },
    ...options,
  );
  const eye = make('button.eye', { type: 'button', onclick: () => toggle(index) }, icon(EYE));
  const color = make('button.swatch', { type: 'button', onclick: () => nextColor(index) });
  const auto = make('button.auto', { type: 'button', title: 'Contrast by percentiles (A)', onclick: () => automatic(index) }, 'Auto');
  const plot = make('canvas.plot', { width: 200, height: 34 });
  const low = handle('Black below', index, 'low');
  const high = handle('Full colour above', index, 'high');
  return make(
    'li.slot',
    { onpointerdown: () => activate(index) },
    make('div.head', {}, eye, color, choice, auto),
    make('div.range', {}, plot, low, high),
  );
}

/** @param {string} name @param {number} index @param {'low' | 'high'} which */
function handle(name, index, which) {
  return make(`input.${which}`, {
    type: 'range',
    min: 0,
    max: STEPS,
    'aria-label': `${name}, channel ${index + 1}`,
    oninput: (/** @type {any} */ event) => {
      const contrast = store.contrasts.get(store.slots[index].channel);
      if (!contrast) return;
      const value = contrast.from + (Number(event.target.value) / STEPS) * (contrast.to - contrast.from);
      const least = (contrast.to - contrast.from) / STEPS;
      if (which === 'low') contrast.low = Math.min(value, contrast.high - least);
      else contrast.high = Math.max(value, contrast.low + least);
      changed('contrast');
    },
  });
}

/** Contrast by percentiles. @param {number} [index] */
export function automatic(index = store.activeSlot) {
  const contrast = store.contrasts.get(store.slots[index].channel);
  if (!contrast) return;
  contrast.low = contrast.autoLow;
  contrast.high = contrast.autoHigh;
  changed('contrast');
}

/** @param {number} index */
function activate(index) {
  if (store.activeSlot === index) return;
  store.activeSlot = index;
  changed('slots');
  if (store.isGrey) void loadChannels();
}

/** @param {number} index */
function toggle(index) {
  store.slots[index].isShown = !store.slots[index].isShown;
  changed('slots');
  void loadChannels();
}

/** @param {number} index */
function nextColor(index) {
  const at = COLORS.findIndex((color) => color.join() === store.slots[index].color.join());
  store.slots[index].color = COLORS[(at + 1) % COLORS.length];
  changed('slots');
}

function update() {
  byId('grey').setAttribute('aria-pressed', String(store.isGrey));
  [...byId('slots').children].forEach((row, index) => {
    const slot = store.slots[index];
    const name = NAMES[COLORS.findIndex((color) => color.join() === slot.color.join())];
    row.classList.toggle('active', index === store.activeSlot && store.slots.length > 1);
    row.classList.toggle('off', store.isGrey ? index !== store.activeSlot : !slot.isShown);
    row.querySelector('select').value = String(slot.channel);
    row.querySelector('.eye').title = slot.isShown ? 'Hide this channel' : 'Show this channel';
    row.querySelector('.eye').setAttribute('aria-label', row.querySelector('.eye').title);
    row.querySelector('.eye').classList.toggle('off', !slot.isShown);
    const swatch = row.querySelector('.swatch');
    swatch.style.background = css(slot.color);
    swatch.title = `Shown in ${name}; a click changes it`;
    swatch.setAttribute('aria-label', swatch.title);
    const contrast = store.contrasts.get(slot.channel);
    if (contrast) drawRange(row, contrast, slot.color);
  });
}

/** @param {any} row @param {import('./store.js').Contrast} contrast @param {number[]} color */
function drawRange(row, { counts, from, to, low, high }, color) {
  const place = (/** @type {number} */ value) => (value - from) / (to - from);
  row.querySelector('.low').value = String(Math.round(place(low) * STEPS));
  row.querySelector('.high').value = String(Math.round(place(high) * STEPS));
  row.querySelector('.range').title = `Black below ${short(low)}, full colour above ${short(high)}`;
  const canvas = row.querySelector('canvas');
  const context = canvas.getContext('2d');
  const { width, height } = canvas;
  const most = Math.log1p(Math.max(...counts));
  const style = getComputedStyle(canvas);
  context.clearRect(0, 0, width, height);
  counts.forEach((/** @type {number} */ n, /** @type {number} */ i) => {
    const x = (i / counts.length) * width;
    const isInside = x / width >= place(low) && x / width <= place(high);
    context.fillStyle = isInside ? style.color : style.borderColor;
    const bar = (Math.log1p(n) / most) * height;
    context.fillRect(x, height - bar, Math.ceil(width / counts.length), bar);
  });
  const shade = context.createLinearGradient(place(low) * width, 0, place(high) * width, 0);
  shade.addColorStop(0, 'black');
  shade.addColorStop(1, css(color));
  context.fillStyle = shade;
  context.fillRect(0, height - 4, width, 4);
}
