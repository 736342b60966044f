// The crop on the screen: pan, zoom, and the layers over each other. Values never travel through a canvas.

import { composite, flat, mixture, outlines, uncertainty } from './composite.js';
import { byId } from './dom.js';
import { changed, colorOf, on, store } from './store.js';

const LARGEST_ZOOM = 32; // screen pixels a pixel
const GRID_ZOOM = 16;
const STEP = 1.2;

/** A layer of the size of the crop. */
class Layer {
  constructor() {
    this.canvas = document.createElement('canvas');
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    this.image = new ImageData(1, 1);
    this.isOld = true;
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    if (this.image.width === width && this.image.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = new ImageData(width, height);
  }

  /** Show the whole array, or a part of it. @param {number[]} [part] x, y, width, height */
  show(part) {
    if (part) this.context.putImageData(this.image, 0, 0, part[0], part[1], part[2], part[3]);
    else this.context.putImageData(this.image, 0, 0);
  }
}

export class View {
  constructor() {
    this.base = byId('base');
    this.top = byId('top');
    this.image = new Layer();
    this.overlay = new Layer();
    this.labels = new Layer();
    this.zoom = 1; // device pixels a pixel
    this.x = 0; // of the crop, at the centre of the screen
    this.y = 0;
    /** @type {number[] | null} */ this.cursor = null; // x, y in the crop
    /** @type {number[][]} */ this.outline = []; // of a fill
    this.isErasing = false;
    this.isOld = { base: true, top: true };
    new ResizeObserver(() => this.#resize()).observe(this.base.parentElement);
    on('pixels slots contrast grey', () => this.#touch('image', 'base'));
    on('prediction layer palette hidden classes', () => this.#touch('overlay', 'base'));
    on('opacity view', () => this.#touch(null, 'base'));
    on('labels palette classes', () => this.#touch('labels', 'top'));
    on('view tool size showsLabels cursor', () => this.#touch(null, 'top'));
    requestAnimationFrame(() => this.#frame());
  }

  /** Take a crop of another size; the view stays where sizes are equal. */
  take() {
    const isAsBefore = this.image.image.width === store.width && this.image.image.height === store.height;
    for (const layer of [this.image, this.overlay, this.labels]) layer.resize(store.width, store.height);
    if (!isAsBefore) this.fit();
  }

  fit() {
    const room = 0.96;
    this.zoom = Math.min((this.base.width * room) / store.width, (this.base.height * room) / store.height);
    this.x = store.width / 2;
    this.y = store.height / 2;
    changed('view');
  }

  /** Zoom so that a place of the screen stays. @param {number} factor @param {number[]} [place] client coordinates */
  zoomBy(factor, place) {
    const at = place ?? this.#centre();
    const [x, y] = this.toCrop(at);
    const smallest = Math.min(1, this.base.width / store.width / 4);
    this.zoom = Math.min(LARGEST_ZOOM * Math.max(devicePixelRatio, 1), Math.max(smallest, this.zoom * factor));
    const [x2, y2] = this.toCrop(at);
    this.moveBy(x - x2, y - y2);
  }

  /** @param {number} steps @param {number[]} [place] */
  zoomSteps(steps, place) {
    this.zoomBy(STEP ** steps, place);
  }

  /** Move over the crop. @param {number} dx @param {number} dy pixels of the crop */
  moveBy(dx, dy) {
    this.x = Math.min(Math.max(this.x + dx, 0), store.width);
    this.y = Math.min(Math.max(this.y + dy, 0), store.height);
    changed('view');
  }

  /** Put a place of the crop into the middle. @param {number} x @param {number} y @param {number} zoom at least */
  centre(x, y, zoom) {
    this.zoom = Math.max(this.zoom, zoom * devicePixelRatio);
    this.x = x;
    this.y = y;
    changed('view');
  }

  /** @param {number[]} place client coordinates @returns {number[]} x, y in the crop */
  toCrop([clientX, clientY]) {
    const box = this.base.getBoundingClientRect();
    const scale = devicePixelRatio;
    return [
      this.x + ((clientX - box.left) * scale - this.base.width / 2) / this.zoom,
      this.y + ((clientY - box.top) * scale - this.base.height / 2) / this.zoom,
    ];
  }

  /** @param {number} x @param {number} y @returns {number[]} client coordinates */
  toScreen(x, y) {
    const box = this.base.getBoundingClientRect();
    return [
      box.left + ((x - this.x) * this.zoom + this.base.width / 2) / devicePixelRatio,
      box.top + ((y - this.y) * this.zoom + this.base.height / 2) / devicePixelRatio,
    ];
  }

  /** Show the labels of a part of the crop. @param {number} left @param {number} top @param {number} right @param {number} bottom included */
  showLabels(left, top, right, bottom) {
    const table = labelTable();
    const pixels = new Uint32Array(this.labels.image.data.buffer);
    for (let y = top; y <= bottom; y++) {
      for (let i = y * store.width + left; i <= y * store.width + right; i++) pixels[i] = table[store.labels[i]];
    }
    this.labels.show([left, top, right - left + 1, bottom - top + 1]);
    this.isOld.top = true;
  }

  #touch(/** @type {'image' | 'overlay' | 'labels' | null} */ layer, /** @type {'base' | 'top'} */ canvas) {
    if (layer) this[layer].isOld = true;
    this.isOld[canvas] = true;
  }

  #centre() {
    const box = this.base.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  }

  #resize() {
    const box = this.base.parentElement.getBoundingClientRect();
    const isFirst = this.base.width === 0;
    for (const canvas of [this.base, this.top]) {
      canvas.width = Math.round(box.width * devicePixelRatio);
      canvas.height = Math.round(box.height * devicePixelRatio);
    }
    if (isFirst) this.fit();
    this.isOld = { base: true, top: true };
  }

  #frame() {
    if (this.isOld.base) this.#drawBase();
    if (this.isOld.top) this.#drawTop();
    this.isOld = { base: false, top: false };
    requestAnimationFrame(() => this.#frame());
  }

  #drawBase() {
    if (this.image.isOld) this.#computeImage();
    if (this.overlay.isOld) this.#computeOverlay();
    const context = this.#start(this.base);
    context.imageSmoothingEnabled = this.zoom < 1;
    context.drawImage(this.image.canvas, 0, 0);
    if (store.layer !== 'none' && store.prediction) {
      if (store.layer === 'uncertainty') this.#dim(context);
      context.globalAlpha = ['outlines', 'uncertainty'].includes(store.layer) ? 1 : store.opacity;
      context.drawImage(this.overlay.canvas, 0, 0);
      context.globalAlpha = 1;
    }
    if (this.zoom >= GRID_ZOOM * devicePixelRatio) this.#drawGrid(context);
  }

  #drawTop() {
    if (this.labels.isOld) {
      this.labels.isOld = false;
      this.showLabels(0, 0, store.width - 1, store.height - 1);
    }
    const context = this.#start(this.top);
    context.imageSmoothingEnabled = false;
    if (store.showsLabels) context.drawImage(this.labels.canvas, 0, 0);
    if (this.outline.length > 1) this.#drawOutline(context);
    if (this.cursor) this.#drawCursor(context, this.cursor);
  }

  #start(/** @type {HTMLCanvasElement} */ canvas) {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const left = Math.round(canvas.width / 2 - this.x * this.zoom);
    const top = Math.round(canvas.height / 2 - this.y * this.zoom);
    context.setTransform(this.zoom, 0, 0, this.zoom, left, top);
    return context;
  }

  #computeImage() {
    this.image.isOld = false;
    composite(lit(), this.image.image.data);
    this.image.show();
  }

  #computeOverlay() {
    this.overlay.isOld = false;
    const { prediction, layer, width } = store;
    if (!prediction || layer === 'none') return;
    const { planes, ids, classes } = prediction;
    const colors = ids.map((id) => (store.hidden.has(id) ? null : colorOf(id)));
    const shown = new Map(ids.flatMap((id, k) => (colors[k] ? [[id, colors[k]]] : [])));
    const out = this.overlay.image.data;
    if (layer === 'prediction') mixture({ planes, colors }, out);
    if (layer === 'classes') flat(classes, shown, out);
    if (layer === 'outlines') outlines(classes, width, shown, out);
    if (layer === 'uncertainty') uncertainty(planes, out);
    this.overlay.show();
  }

  /** Doubt is seen on a dark image. */
  #dim(/** @type {CanvasRenderingContext2D} */ context) {
    context.fillStyle = `rgb(0 0 0 / ${store.opacity})`;
    context.fillRect(0, 0, store.width, store.height);
  }

  #drawGrid(/** @type {CanvasRenderingContext2D} */ context) {
    context.lineWidth = 1 / this.zoom;
    context.strokeStyle = 'rgb(128 128 128 / 35%)';
    context.beginPath();
    const [left, top] = this.toCrop([this.base.getBoundingClientRect().left, this.base.getBoundingClientRect().top]);
    const columns = this.base.width / this.zoom;
    const rows = this.base.height / this.zoom;
    for (let x = Math.max(0, Math.floor(left)); x <= Math.min(store.width, left + columns); x++) {
      context.moveTo(x, Math.max(0, top));
      context.lineTo(x, Math.min(store.height, top + rows));
    }
    for (let y = Math.max(0, Math.floor(top)); y <= Math.min(store.height, top + rows); y++) {
      context.moveTo(Math.max(0, left), y);
      context.lineTo(Math.min(store.width, left + columns), y);
    }
    context.stroke();
  }

  #drawOutline(/** @type {CanvasRenderingContext2D} */ context) {
    context.beginPath();
    for (const [x, y] of this.outline) context.lineTo(x, y);
    this.#strokeInTwoTones(context);
  }

  #drawCursor(/** @type {CanvasRenderingContext2D} */ context, /** @type {number[]} */ [x, y]) {
    const isEraser = this.isErasing || store.tool === 'eraser';
    const size = isEraser ? store.sizes.eraser : store.sizes.brush;
    context.beginPath();
    if (size <= 1) context.rect(Math.floor(x), Math.floor(y), 1, 1);
    else context.arc(x, y, size / 2, 0, 2 * Math.PI);
    if (isEraser) {
      const arm = size / 5;
      context.moveTo(x - arm, y - arm);
      context.lineTo(x + arm, y + arm);
    }
    this.#strokeInTwoTones(context);
  }

  #strokeInTwoTones(/** @type {CanvasRenderingContext2D} */ context) {
    const width = devicePixelRatio / this.zoom;
    context.lineWidth = 3 * width;
    context.strokeStyle = 'rgb(0 0 0 / 75%)';
    context.stroke();
    context.lineWidth = 1.2 * width;
    context.strokeStyle = 'white';
    context.stroke();
  }
}

/** What is shown of the channels. @returns {import('./composite.js').Lit[]} */
function lit() {
  const slots = store.isGrey ? [{ ...store.slots[store.activeSlot], color: [255, 255, 255], isShown: true }] : store.slots;
  return slots.flatMap(({ channel, color, isShown }) => {
    const pixels = store.pixels.get(channel);
    const contrast = store.contrasts.get(channel);
    return isShown && pixels && contrast ? [{ pixels, color, low: contrast.low, high: contrast.high }] : [];
  });
}

function labelTable() {
  const table = new Uint32Array(256);
  for (const { id } of store.classes) {
    const [red, green, blue] = colorOf(id);
    table[id] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
  return table;
}
