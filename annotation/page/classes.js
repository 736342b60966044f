// The classes: choose, add, rename, recolour, hide, remove.

import { byId, count, css, icon, labelledPixels, make } from './dom.js';
import { tell } from './notices.js';
import { send } from './queue.js';
import { changed, colorOf, cropShown, labelledOf, on, store } from './store.js';

const MOST = 20;
const EYE = 'M1.5 8s2.5-4.5 6.5-4.5S14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8Zm6.5 2a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z';
const NEW_COLORS = [
  [255, 255, 0], [255, 0, 255], [0, 255, 255], [255, 128, 0], [128, 0, 255], [0, 128, 0], [150, 90, 40], [255, 160, 190],
  [0, 100, 140], [160, 160, 160],
];

export function showClasses() {
  const list = byId('classes');
  const build = () => list.replaceChildren(...store.classes.map(row));
  on('classes', build);
  on('value crop labelled counts hidden palette cursor prediction', update);
  byId('add-class').addEventListener('click', add);
  byId('palette').addEventListener('change', (/** @type {any} */ event) => {
    store.isSafePalette = event.target.checked;
    localStorage.setItem('palette', store.isSafePalette ? 'safe' : 'project');
    changed('palette');
  });
  byId('palette').checked = store.isSafePalette;
  build();
  update();
}

/** Paint with the class of a key. @param {number} index counted from 0 */
export function chooseClass(index) {
  if (index >= store.classes.length) return;
  store.value = store.classes[index].id;
  if (store.tool === 'eraser') store.tool = 'brush';
  changed('value', 'tool');
}

/** @param {import('./store.js').LabelClass} known @param {number} index */
function row(known, index) {
  const choose = () => chooseClass(index);
  const swatch = make('input.swatch', {
    type: 'color',
    title: `Colour of ${known.name}`,
    'aria-label': `Colour of ${known.name}`,
    onchange: (/** @type {any} */ event) => recolor(known.id, event.target.value),
  });
  const name = make('button.name', { type: 'button', title: `${known.name} (${key(index)}; F2 or a double click renames)`, onclick: choose, ondblclick: () => rename(item, known) }, known.name);
  name.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'F2') rename(item, known);
    if (event.key === 'Delete') void remove(known);
  });
  const eye = make('button.eye', { type: 'button', onclick: () => hide(known.id) }, icon(EYE));
  const bin = make('button.bin', { type: 'button', title: `Remove ${known.name} (Delete)`, 'aria-label': `Remove ${known.name}`, onclick: () => void remove(known) }, '×');
  const item = make(
    'li',
    { dataset: { id: String(known.id) } },
    make('kbd', {}, index < 9 ? String(index + 1) : ''),
    swatch,
    name,
    eye,
    bin,
    make('span.count', { title: 'Labelled pixels in this crop, of those in all crops' }),
    make('span.chance', { title: 'Probability under the cursor' }, make('span', {})),
  );
  return item;
}

function update() {
  const crop = cropShown();
  for (const item of byId('classes').children) {
    const id = Number(item.dataset.id);
    const known = store.classes.find((one) => one.id === id);
    if (!known) continue;
    const isChosen = id === store.value;
    item.classList.toggle('chosen', isChosen);
    item.querySelector('.name')?.setAttribute('aria-pressed', String(isChosen)); // none while it is renamed
    item.querySelector('.swatch').value = hex(colorOf(id));
    const here = crop?.counts[id] ?? 0;
    item.querySelector('.count').textContent = `${count(here)} of ${count(labelledOf(id))} px`;
    const isHidden = store.hidden.has(id);
    const eye = item.querySelector('.eye');
    eye.classList.toggle('off', isHidden);
    eye.title = `${isHidden ? 'Show' : 'Hide'} the prediction of ${known.name}`;
    eye.setAttribute('aria-label', eye.title);
    const bar = item.querySelector('.chance span');
    bar.style.width = `${100 * (chances.get(id) ?? 0)}%`;
    bar.style.background = css(colorOf(id));
  }
}

/** Probabilities under the cursor, by class. @type {Map<number, number>} */
export const chances = new Map();

function add() {
  if (store.classes.length >= MOST) return;
  const id = free(store.classes.map((known) => known.id));
  const taken = new Set(store.classes.map((known) => known.color.join()));
  const color = NEW_COLORS.find((one) => !taken.has(one.join())) ?? NEW_COLORS[0];
  let number = store.classes.length + 1;
  while (store.classes.some((known) => known.name === `Class ${number}`)) number++;
  const known = { id, name: `Class ${number}`, color, pmap_color: color };
  void change([...store.classes, known]).then((isKept) => {
    if (!isKept) return;
    chooseClass(store.classes.length - 1);
    rename(/** @type {any} */ (byId('classes').lastElementChild), known);
  });
}

/** @param {any} item @param {import('./store.js').LabelClass} known */
function rename(item, known) {
  const before = item.querySelector('.name');
  if (!before) return;
  const field = make('input.rename', { type: 'text', value: known.name, maxLength: 80, 'aria-label': 'Name of the class' });
  let isDone = false;
  const finish = async (/** @type {boolean} */ isKept) => {
    if (isDone) return;
    isDone = true;
    const name = field.value.trim();
    field.replaceWith(before);
    const isTaken = store.classes.some((one) => one.id !== known.id && one.name === name);
    if (isKept && name && name !== known.name && !isTaken) {
      await change(store.classes.map((one) => (one.id === known.id ? { ...one, name } : one)));
    }
    byId('stage').focus();
  };
  field.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation();
    if (event.key === 'Enter') void finish(true);
    if (event.key === 'Escape') void finish(false);
  });
  field.addEventListener('blur', () => void finish(true));
  before.replaceWith(field);
  field.focus();
  field.select();
}

/** @param {number} id @param {string} value such as #ff0000 */
function recolor(id, value) {
  const color = [1, 3, 5].map((at) => parseInt(value.slice(at, at + 2), 16));
  void change(store.classes.map((one) => (one.id === id ? { ...one, color, pmap_color: color } : one)));
}

/** @param {number} id */
function hide(id) {
  if (!store.hidden.delete(id)) store.hidden.add(id);
  changed('hidden');
}

/** @param {import('./store.js').LabelClass} known */
async function remove(known) {
  const n = labelledOf(known.id);
  if (store.classes.length <= 2) {
    tell('classes', 'Two classes are the fewest: there is nothing to tell apart with one. Rename it instead.');
    return;
  }
  if (n > 0 && !(await confirmed(`Remove ${known.name} with ${labelledPixels(n)}? Undo brings them back.`, 'Remove'))) return;
  await change(store.classes.filter((one) => one.id !== known.id));
}

/** @param {import('./store.js').LabelClass[]} classes */
async function change(classes) {
  const answer = await send({ kind: 'classes', classes });
  if (answer && !store.classes.some((one) => one.id === store.value)) chooseClass(0);
  return answer !== null;
}

/** Ask before something is destroyed. @param {string} question @param {string} yes @returns {Promise<boolean>} */
export function confirmed(question, yes) {
  const dialog = byId('confirm');
  dialog.querySelector('p').textContent = question;
  dialog.querySelector('.yes').textContent = yes;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener('close', () => answer(dialog.returnValue === 'yes'), { once: true });
  });
}

/** @param {number[]} taken */
function free(taken) {
  let id = 1;
  while (taken.includes(id)) id++;
  return id;
}

/** @param {number[]} color */
const hex = (color) => `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`;

/** @param {number} index */
const key = (index) => (index < 9 ? `key ${index + 1}` : 'no key');
