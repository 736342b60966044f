// Elements in one line, and sentences to screen readers.

/**
 * Make an element.
 * @param {string} name tag, with classes behind dots
 * @param {Record<string, any>} [attributes] `on…` are listeners, `dataset` and properties go where they belong
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function make(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag);
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'dataset') Object.assign(element.dataset, value);
    else if (key in element && key !== 'list') /** @type {any} */ (element)[key] = value;
    else element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An icon of 16 × 16, drawn with the colour of the text.
 * @param {string} path of its strokes
 */
export function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  const strokes = document.createElementNS(SVG, 'path');
  strokes.setAttribute('d', path);
  svg.append(strokes);
  return svg;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** @param {number[]} color */
export const css = (color) => `rgb(${color.join(' ')})`;

const WHOLE = new Intl.NumberFormat('en', { useGrouping: true });

/** A whole number with thin spaces between thousands. @param {number} n */
export const count = (n) => WHOLE.format(n).replaceAll(',', '\u202f');

/** How many labelled pixels there are, in words. @param {number} n */
export const labelledPixels = (n) => `${count(n)} labelled pixel${n === 1 ? '' : 's'}`;

/** A measured value, short. @param {number} value */
export function short(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 0.01)) return value.toExponential(1);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
