// What mouse, pen, finger and keys draw on the crop.

import { loadLabels } from './crop.js';
import { byId, count } from './dom.js';
import { tell } from './notices.js';
import { send } from './queue.js';
import { straight, Stroke } from './raster.js';
import { changed, colorOf, cropShown, labelledIn, on, store } from './store.js';

/** @typedef {import('./view.js').View} View */

const BRUSHES = [1, 2, 3, 5, 7, 9, 13, 17, 25, 35, 51, 75, 101];

export class Hand {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.stroke = new Stroke(1, 1);
    this.before = new Uint8Array(1);
    /** @type {number[]} */ this.start = [0, 0];
    /** @type {number[]} */ this.last = [0, 0];
    /** @type {Map<number, number[]>} */ this.fingers = new Map();
    this.isPanning = false;
    this.isSpaceDown = false;
    this.penWasSeen = false;
    this.isPenDown = false; // of the keyboard
    const stage = byId('stage');
    stage.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => this.#down(event));
    stage.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => this.#move(event));
    stage.addEventListener('pointerup', (/** @type {PointerEvent} */ event) => this.#up(event));
    stage.addEventListener('pointercancel', (/** @type {PointerEvent} */ event) => this.#cancelled(event));
    stage.addEventListener('pointerleave', () => this.#leave());
    stage.addEventListener('contextmenu', (/** @type {Event} */ event) => event.preventDefault());
    stage.addEventListener('wheel', (/** @type {WheelEvent} */ event) => this.#wheel(event), { passive: false });
    on('crop', () => this.cancel());
  }

  /** Make what is held larger or smaller. @param {number} steps */
  resize(steps) {
    const which = store.tool === 'eraser' ? 'eraser' : 'brush';
    const at = BRUSHES.findIndex((size) => size >= store.sizes[which]);
    const next = Math.min(Math.max(at + steps, 0), BRUSHES.length - 1);
    store.sizes[which] = BRUSHES[next];
    changed('size');
  }

  /** Forget the stroke in the hand. */
  cancel() {
    if (!store.isDrawing) return;
    store.isDrawing = false;
    this.isPenDown = false;
    this.view.outline = [];
    if (this.before.length === store.labels.length) {
      store.labels.set(this.before);
      changed('labels');
    }
    if (store.areLabelsOld) void loadLabels();
  }

  /** Move the cursor by keys, in pixels of the crop. @param {number} dx @param {number} dy */
  step(dx, dy) {
    const { cursor } = this.view;
    const [x, y] = cursor ?? [this.view.x, this.view.y];
    const to = [
      Math.min(Math.max(Math.floor(x) + 0.5 + dx, 0.5), store.width - 0.5),
      Math.min(Math.max(Math.floor(y) + 0.5 + dy, 0.5), store.height - 0.5),
    ];
    this.#setCursor(to);
    if (this.isPenDown) this.#draw(to, false);
  }

  /** Put the pen of the keyboard down, or take it up and keep the stroke. */
  togglePen() {
    const at = this.view.cursor ?? [Math.floor(this.view.x) + 0.5, Math.floor(this.view.y) + 0.5];
    if (!this.isPenDown) {
      this.#setCursor(at);
      this.#begin(at, store.tool === 'eraser');
      this.isPenDown = true;
    } else {
      this.isPenDown = false;
      this.#end(at);
    }
  }

  #down(/** @type {PointerEvent} */ event) {
    if (/** @type {Element} */ (event.target).closest('#notices')) return;
    byId('stage').focus({ preventScroll: true });
    byId('stage').setPointerCapture(event.pointerId);
    this.penWasSeen ||= event.pointerType === 'pen';
    const place = [event.clientX, event.clientY];
    this.fingers.set(event.pointerId, place);
    if (this.fingers.size > 1) {
      this.cancel();
      this.isPanning = true;
      return;
    }
    const isFingerBesidePen = event.pointerType === 'touch' && this.penWasSeen;
    this.isPanning = event.button === 1 || this.isSpaceDown || isFingerBesidePen;
    if (this.isPanning || event.button > 2 || store.lane < 0) return;
    event.preventDefault();
    const isErasing = event.button === 2 || event.button === 5 || store.tool === 'eraser';
    this.#begin(this.view.toCrop(place), isErasing);
  }

  #move(/** @type {PointerEvent} */ event) {
    const place = [event.clientX, event.clientY];
    const before = this.fingers.get(event.pointerId);
    if (this.isPanning && before) {
      this.#pan(event.pointerId, before, place);
      return;
    }
    const to = this.view.toCrop(place);
    this.#setCursor(to);
    if (!store.isDrawing || !this.fingers.has(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const part of between.length ? between : [event]) {
      this.#draw(this.view.toCrop([part.clientX, part.clientY]), event.shiftKey);
    }
  }

  #up(/** @type {PointerEvent} */ event) {
    this.fingers.delete(event.pointerId);
    if (this.isPanning) {
      this.isPanning = this.fingers.size > 0;
      return;
    }
    if (store.isDrawing) this.#end(this.view.toCrop([event.clientX, event.clientY]));
  }

  #cancelled(/** @type {PointerEvent} */ event) {
    this.fingers.delete(event.pointerId);
    this.cancel();
  }

  #leave() {
    if (!store.isDrawing) this.#setCursor(null);
  }

  #wheel(/** @type {WheelEvent} */ event) {
    event.preventDefault();
    const steps = Math.sign(-event.deltaY);
    if (event.altKey || event.shiftKey) this.resize(Math.sign(-(event.deltaY || event.deltaX)));
    else if (event.ctrlKey) this.view.zoomBy(Math.exp(-event.deltaY / 100), [event.clientX, event.clientY]);
    else this.view.zoomSteps(steps, [event.clientX, event.clientY]);
  }

  #pan(/** @type {number} */ finger, /** @type {number[]} */ before, /** @type {number[]} */ place) {
    const others = [...this.fingers].filter(([id]) => id !== finger).map(([, at]) => at);
    this.fingers.set(finger, place);
    if (others.length === 1) {
      const spread = (/** @type {number[]} */ at) => Math.hypot(at[0] - others[0][0], at[1] - others[0][1]);
      const middle = [(place[0] + others[0][0]) / 2, (place[1] + others[0][1]) / 2];
      this.view.zoomBy(spread(place) / Math.max(spread(before), 1), middle);
    }
    const [x0, y0] = this.view.toCrop(before);
    const [x1, y1] = this.view.toCrop(place);
    const share = others.length ? 0.5 : 1;
    this.view.moveBy((x0 - x1) * share, (y0 - y1) * share);
  }

  #begin(/** @type {number[]} */ at, /** @type {boolean} */ isErasing) {
    if (this.stroke.width !== store.width || this.stroke.height !== store.height) {
      this.stroke = new Stroke(store.width, store.height);
    }
    this.stroke.clear();
    this.before = store.labels.slice();
    store.isDrawing = true;
    this.view.isErasing = isErasing;
    this.start = this.last = at;
    this.view.outline = store.tool === 'fill' && !isErasing ? [at] : [];
    this.#draw(at, false);
  }

  #draw(/** @type {number[]} */ to, /** @type {boolean} */ isStraight) {
    const size = this.view.isErasing ? store.sizes.eraser : store.sizes.brush;
    if (this.view.outline.length) {
      this.view.outline.push(to);
      this.view.isOld.top = true;
      return;
    }
    if ((store.tool === 'line' || isStraight) && !this.isPenDown) {
      this.#uncover();
      this.stroke.segment(this.start, isStraight ? straight(this.start, to) : to, size);
    } else {
      this.stroke.segment(this.last, to, size);
      this.last = to;
    }
    this.#cover();
  }

  #end(/** @type {number[]} */ at) {
    if (this.view.outline.length) this.#fill();
    store.isDrawing = false;
    const value = this.view.isErasing ? 0 : store.value;
    this.view.isErasing = false;
    this.view.outline = [];
    this.#setCursor(at);
    const runs = this.stroke.runs();
    if (runs.length === 0 || !differs(this.before, store.labels)) return;
    performance.mark('stroke-end');
    document.body.dataset.strokes = String(Number(document.body.dataset.strokes ?? 0) + 1);
    changed('labelled');
    void send({ kind: 'paint', lane: store.lane, value, runs, keep: store.keepsOthers });
  }

  #fill() {
    this.stroke.fill(this.view.outline);
    this.#cover();
    let n = 0;
    for (let i = 0; i < store.labels.length; i++) n += Number(store.labels[i] !== this.before[i]);
    const others = store.crops.reduce((sum, crop) => sum + labelledIn(crop), 0);
    if (n > 200 && n > others) {
      tell('fill', `This area has ${count(n)} pixels, more than all other labels together. Alike pixels outweigh the edges: thin lines across borders teach more.`);
    }
  }

  /** Show what the stroke covers by now. */
  #cover() {
    const { mask, top, bottom, left, right } = this.stroke;
    if (bottom < top) return;
    const value = this.view.isErasing ? 0 : store.value;
    const keeps = store.keepsOthers && value !== 0;
    for (let y = top; y <= bottom; y++) {
      for (let i = y * store.width + left; i <= y * store.width + right; i++) {
        if (mask[i] && !(keeps && this.before[i] !== 0)) store.labels[i] = value;
      }
    }
    this.view.showLabels(left, top, right, bottom);
  }

  /** Take away what the stroke covers by now. */
  #uncover() {
    const { top, bottom, left, right } = this.stroke;
    if (bottom < top) return;
    for (let y = top; y <= bottom; y++) {
      const row = y * store.width;
      store.labels.set(this.before.subarray(row + left, row + right + 1), row + left);
    }
    this.view.showLabels(left, top, right, bottom);
    this.stroke.clear();
  }

  #setCursor(/** @type {number[] | null} */ at) {
    this.view.cursor = at;
    changed('cursor');
  }
}

/** Whether a class can be painted with. */
export const canPaint = () => cropShown() !== undefined && colorOf(store.value) !== undefined;

/** @param {Uint8Array} a @param {Uint8Array} b */
function differs(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return true;
  return false;
}
