// Everything by keys. The table is also what the help shows.

import { automatic, stepChannel, toggleGrey } from './channels.js';
import { chooseClass } from './classes.js';
import { openMostUncertain, stepCrop } from './crops.js';
import { byId, make } from './dom.js';
import { chooseLayer, toggleLabels, toggleLive } from './layers.js';
import { chooseTool, stepBack } from './tools.js';
import { changed, store } from './store.js';

/**
 * @param {import('./view.js').View} view
 * @param {import('./hand.js').Hand} hand
 * @param {() => void} save
 */
export function listenToKeys(view, hand, save) {
  const far = (/** @type {KeyboardEvent} */ event) => (event.shiftKey ? 10 : 1);
  const pan = (/** @type {number} */ x, /** @type {number} */ y) => () => view.moveBy((x * 80) / view.zoom, (y * 80) / view.zoom);
  /** @type {[string, string, (event: KeyboardEvent) => void][]} */
  const table = [
    ['1 … 9', 'paint with a class', () => {}],
    ['b', 'brush', () => chooseTool('brush')],
    ['e', 'eraser, and back', () => chooseTool(store.tool === 'eraser' ? 'brush' : 'eraser')],
    ['l', 'line', () => chooseTool('line')],
    ['f', 'fill what is drawn around', () => chooseTool('fill')],
    ['[', 'smaller (Shift + wheel)', () => hand.resize(-1)],
    [']', 'larger (Shift + wheel)', () => hand.resize(1)],
    ['z', 'undo (Ctrl Z)', () => void stepBack('undo')],
    ['Z', 'redo (Ctrl Shift Z)', () => void stepBack('redo')],
    ['Escape', 'forget the stroke in the hand', () => hand.cancel()],
    ['ArrowUp', 'channel before', () => stepChannel(-1)],
    ['ArrowDown', 'next channel', () => stepChannel(1)],
    ['g', 'one channel in grey', toggleGrey],
    ['a', 'contrast by percentiles', () => automatic()],
    ['p', 'probabilities', () => chooseLayer('prediction')],
    ['c', 'classes', () => chooseLayer('classes')],
    ['o', 'outlines', () => chooseLayer('outlines')],
    ['u', 'uncertainty', () => chooseLayer('uncertainty')],
    ['i', 'image only', () => chooseLayer('none')],
    ['v', 'labels on and off', toggleLabels],
    ['m', 'prediction after each stroke on and off', toggleLive],
    ['PageUp', 'crop before', () => stepCrop(-1)],
    ['PageDown', 'next crop', () => stepCrop(1)],
    ['n', 'next label here: least sure crop and region', () => void openMostUncertain(view)],
    ['+', 'closer (wheel)', () => view.zoomSteps(1)],
    ['-', 'farther (wheel)', () => view.zoomSteps(-1)],
    ['0', 'whole crop', () => view.fit()],
    ['ArrowLeft', 'move (Space and drag, middle button)', pan(-1, 0)],
    ['ArrowRight', 'move', pan(1, 0)],
    ['w', 'cursor up (Shift: by 10)', (event) => hand.step(0, -far(event))],
    ['s', 'cursor down', (event) => hand.step(0, far(event))],
    ['q', 'cursor left', (event) => hand.step(-far(event), 0)],
    ['d', 'cursor right', (event) => hand.step(far(event), 0)],
    ['Enter', 'pen down, pen up', () => hand.togglePen()],
    ['h', 'hide or show the panels', toggleRails],
    ['Ctrl s', 'save', save],
    ['?', 'these keys', () => byId('help').showModal()],
  ];
  const actions = new Map(table.map(([key, , run]) => [key, run]));
  byId('open-help').addEventListener('click', () => byId('help').showModal());
  byId('key-table').replaceChildren(
    ...table.map(([key, what]) => make('div', {}, make('kbd', {}, shownKey(key)), make('span', {}, what))),
  );
  addEventListener('keydown', (event) => {
    if (isElsewhere(event)) return;
    if (event.key === ' ') {
      hand.isSpaceDown = true;
      if (event.target === byId('stage') || event.target === document.body) event.preventDefault();
      return;
    }
    const run = find(event, actions);
    if (!run) return;
    event.preventDefault();
    run(event);
  });
  addEventListener('keyup', (event) => {
    if (event.key === ' ') hand.isSpaceDown = false;
  });
}

/** @param {KeyboardEvent} event @param {Map<string, (event: KeyboardEvent) => void>} actions */
function find(event, actions) {
  const key = event.key;
  if (event.ctrlKey || event.metaKey) {
    const found = { s: 'Ctrl s', z: event.shiftKey ? 'Z' : 'z', y: 'Z' }[key.toLowerCase()];
    return found ? actions.get(found) : undefined;
  }
  if (event.altKey) return undefined;
  if (/^[1-9]$/.test(key)) return () => chooseClass(Number(key) - 1);
  return actions.get(key) ?? actions.get(key.toLowerCase());
}

/** Whether a key belongs to a dialog, a field or a button that uses it. @param {KeyboardEvent} event */
function isElsewhere(event) {
  if (document.querySelector('dialog[open]')) return true;
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.matches('input[type=text], input[type=number], input[type=color], select')) return !event.ctrlKey;
  if (target.matches('input[type=range], input[type=radio]')) return event.key.startsWith('Arrow');
  return target.matches('button, input[type=checkbox]') && [' ', 'Enter'].includes(event.key);
}

function toggleRails() {
  document.body.classList.toggle('wide');
  changed('view');
}

/** @param {string} key */
function shownKey(key) {
  const named = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', PageUp: 'Page ↑', PageDown: 'Page ↓', Escape: 'Esc', Z: 'Shift Z', 'Ctrl s': 'Ctrl S' };
  return /** @type {any} */ (named)[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}
