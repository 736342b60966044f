// What the hand holds: brush, eraser, line or fill; its size; undo and redo.

import { byId } from './dom.js';
import { openCrop } from './crop.js';
import { send } from './queue.js';
import { changed, colorOf, on, store, toolSize } from './store.js';

export const TOOLS = ['brush', 'eraser', 'line', 'fill'];

export function showTools() {
  for (const tool of TOOLS) byId(`tool-${tool}`).addEventListener('click', () => chooseTool(tool));
  byId('size').addEventListener('input', (/** @type {any} */ event) => {
    store.sizes[store.tool === 'eraser' ? 'eraser' : 'brush'] = Number(event.target.value);
    changed('size');
  });
  byId('keep').addEventListener('change', (/** @type {any} */ event) => {
    store.keepsOthers = event.target.checked;
  });
  byId('undo').addEventListener('click', () => void stepBack('undo'));
  byId('redo').addEventListener('click', () => void stepBack('redo'));
  on('tool size value palette classes', update);
  on('steps', allowSteps);
  allowSteps();
  update();
}

function allowSteps() {
  byId('undo').disabled = store.undo === 0;
  byId('redo').disabled = store.redo === 0;
}

/** @param {string} tool */
export function chooseTool(tool) {
  store.tool = tool;
  changed('tool');
}

/** Take the last step back or again; the crop where it was is shown. @param {'undo' | 'redo'} how */
export async function stepBack(how) {
  const answer = await send({ kind: how });
  const lanes = Object.keys(answer?.lanes ?? {}).map(Number);
  if (lanes.length > 0 && !lanes.includes(store.lane)) await openCrop(lanes[0]);
}

function update() {
  for (const tool of TOOLS) {
    const isChosen = tool === store.tool;
    byId(`tool-${tool}`).setAttribute('aria-pressed', String(isChosen));
  }
  const size = toolSize();
  byId('size').value = String(size);
  byId('size-px').textContent = `${size} px`;
  const dot = byId('size-dot');
  dot.style.width = dot.style.height = `${Math.min(size, 28)}px`;
  dot.style.background = store.tool === 'eraser' ? 'transparent' : `rgb(${colorOf(store.value).join(' ')})`;
}
