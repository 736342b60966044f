// Sentences over the image: what a person has to know, each once, with what to do about it.

import { byId, make } from './dom.js';

/** @type {Map<string, HTMLElement>} */
const shown = new Map();
/** @type {Set<string>} */
const dismissed = new Set();

/**
 * Show a sentence until it is dismissed or taken back.
 * @param {string} key a newer sentence under the same key takes its place
 * @param {string} text
 * @param {{name: string, run: () => void}[]} [actions]
 * @param {'note' | 'problem'} [kind]
 */
export function tell(key, text, actions = [], kind = 'note') {
  if (dismissed.has(key + text)) return;
  const close = () => {
    dismissed.add(key + text);
    takeBack(key);
  };
  const buttons = actions.map(({ name, run }) =>
    make('button', {
      type: 'button',
      textContent: name,
      onclick: () => {
        takeBack(key);
        run();
      },
    }),
  );
  const notice = make(
    `div.notice.${kind}`,
    { role: kind === 'problem' ? 'alert' : 'status' },
    make('p', {}, text),
    ...buttons,
    make('button.close', { type: 'button', textContent: '×', title: 'Dismiss', 'aria-label': 'Dismiss', onclick: close }),
  );
  const before = shown.get(key);
  if (before) before.replaceWith(notice);
  else byId('notices').append(notice);
  shown.set(key, notice);
}

/** @param {string} key */
export function takeBack(key) {
  shown.get(key)?.remove();
  shown.delete(key);
}

/** @param {string} key */
export const isTold = (key) => shown.has(key);
