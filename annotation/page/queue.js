// Strokes on their way to the disk of the server: in order, numbered, sent again until they are kept.

import { post, RefusedError } from './api.js';
import { takeBack, tell } from './notices.js';
import { changed, store } from './store.js';

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 5000;

/** @typedef {{gesture: any, done: (answer: any) => void}} Waiting */

export const queue = {
  /** @type {Waiting[]} */ waiting: [],
  isSending: false,
  held: '', // why strokes wait: the server cannot be reached, or its disk takes nothing
  number: 0,
  /** @type {(error: Error) => void} */ onRefusal: () => {},
  /** @type {(answer: any, gesture: any) => void} */ onAnswer: () => {},
};

/**
 * Send a gesture after all that wait; the answer comes when it is on disk.
 * @param {any} gesture
 * @returns {Promise<any>} null where the server refused it
 */
export function send(gesture) {
  return new Promise((done) => {
    queue.waiting.push({ gesture: { ...gesture, number: queue.number++ }, done });
    changed('queue');
    if (!queue.isSending) void sendAll();
  });
}

async function sendAll() {
  queue.isSending = true;
  let wait = FIRST_WAIT_MS;
  while (queue.waiting.length > 0) {
    const [first] = queue.waiting;
    try {
      const body = { client: store.client, gestures: [first.gesture] };
      const answer = await post('/api/gestures', body);
      settle(first, answer);
      queue.onAnswer(answer, first.gesture);
      wait = FIRST_WAIT_MS;
    } catch (error) {
      const isRefused = error instanceof RefusedError;
      if (isRefused && error.kind !== 'disk') {
        settle(first, null);
        queue.onRefusal(error);
      } else {
        queue.held = isRefused ? 'the disk takes nothing' : 'the server cannot be reached';
        if (isRefused) tell('disk', error.message, [], 'problem');
        changed('queue');
        await new Promise((again) => setTimeout(again, wait));
        wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      }
    }
  }
  queue.isSending = false;
  changed('queue');
}

/** @param {Waiting} first @param {any} answer */
function settle(first, answer) {
  queue.waiting.shift();
  queue.held = '';
  takeBack('disk');
  first.done(answer);
  changed('queue');
}
