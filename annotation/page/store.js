// What the page knows, and who is told when it changes.

/**
 * @typedef {{id: number, name: string, color: number[], pmap_color: number[]}} LabelClass
 * @typedef {{lane: number, name: string, size: [number, number], counts: Record<string, number>}} Crop
 * @typedef {{revision: number, trees: number, is_final: boolean, ids: number[], size: [number, number],
 *   planes: Uint8Array[], classes: Uint8Array}} Prediction
 * @typedef {{channel: number, color: number[], isShown: boolean}} Slot
 * @typedef {{low: number, high: number, from: number, to: number, highest: number, counts: number[],
 *   autoLow: number, autoHigh: number}} Contrast
 */

export const LAYERS = ['prediction', 'classes', 'outlines', 'uncertainty', 'none'];

// Okabe and Ito's colours, which people with any kind of colour vision tell apart.
const SAFE = [
  [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0],
  [204, 121, 167], [153, 153, 153], [255, 255, 255], [110, 60, 20],
];

export const store = {
  client: crypto.randomUUID(),
  /** @type {any} */ project: {},
  /** @type {string[]} */ channels: [],
  /** @type {LabelClass[]} */ classes: [],
  /** @type {Crop[]} */ crops: [],
  lane: -1,
  revision: 0,
  isSaved: true,
  undo: 0,
  redo: 0,
  /** @type {any} */ quality: null,
  /** @type {any} */ qualityBefore: null,
  /** @type {any} */ importance: null,
  /** @type {Record<string, {mean: number, y: number, x: number}>} */ uncertainty: {},
  /** @type {any} */ features: null,
  /** @type {Record<string, any>} */ presets: {},
  /** @type {{id: string, name: string}[]} */ runs: [],

  // the crop that is shown
  width: 1,
  height: 1,
  labels: new Uint8Array(1),
  areLabelsOld: false, // newer ones wait until no stroke is on its way
  isDrawing: false, // a stroke is in the hand
  /** @type {Map<number, Float32Array>} */ pixels: new Map(),
  /** @type {Prediction | null} */ prediction: null,

  // how it is shown
  /** @type {Slot[]} */ slots: [],
  activeSlot: 0,
  isGrey: false,
  /** @type {Map<number, Contrast>} */ contrasts: new Map(),
  layer: 'prediction',
  opacity: 0.5,
  /** @type {Set<number>} */ hidden: new Set(),
  showsLabels: true,
  isLive: true,
  isSafePalette: localStorage.getItem('palette') === 'safe',

  // what the hand holds
  tool: 'brush',
  value: 1,
  sizes: { brush: 3, eraser: 9 },
  keepsOthers: false,
};

/** @type {Map<string, Set<Function>>} */
const listeners = new Map();

/** Call a function when one of some things changes. @param {string} names @param {Function} listener */
export function on(names, listener) {
  for (const name of names.split(' ')) {
    if (!listeners.has(name)) listeners.set(name, new Set());
    listeners.get(name)?.add(listener);
  }
}

/** Say that things changed. @param {...string} names */
export function changed(...names) {
  const called = new Set(names.flatMap((name) => [...(listeners.get(name) ?? [])]));
  for (const listener of called) listener();
}

/** The colour in which a class is shown. @param {number} id */
export function colorOf(id) {
  const index = store.classes.findIndex((known) => known.id === id);
  if (index < 0) return [128, 128, 128];
  return store.isSafePalette ? SAFE[index % SAFE.length] : store.classes[index].color;
}

/** @returns {Crop | undefined} */
export const cropShown = () => store.crops.find((crop) => crop.lane === store.lane);

/** Labelled pixels of a class in all crops. @param {number} id */
export const labelledOf = (id) =>
  store.crops.reduce((sum, crop) => sum + (crop.counts[id] ?? 0), 0);

/** Labelled pixels of a crop. @param {Crop} crop */
export const labelledIn = (crop) => Object.values(crop.counts).reduce((sum, n) => sum + n, 0);

/** Size of what paints or erases now, in pixels of the crop. */
export const toolSize = () => store.sizes[store.tool === 'eraser' ? 'eraser' : 'brush'];
