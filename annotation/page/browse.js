// Cut a new crop out of any prepared image.

import { get, pictureAddress, post } from './api.js';
import { shownChannels } from './channels.js';
import { byId, count, make } from './dom.js';
import { store } from './store.js';

/** @type {{name: string, size: [number, number]}[]} */
let images = [];
/** @type {{name: string, size: [number, number]} | null} */
let image = null;
let place = { y: 0, x: 0 };

export function showBrowser() {
  byId('open-browser').addEventListener('click', () => void open());
  byId('image-name').addEventListener('change', (/** @type {any} */ event) => choose(images[Number(event.target.value)]));
  byId('crop-size').addEventListener('input', () => put(place.y, place.x));
  byId('cut').addEventListener('click', () => void cut());
  const overview = byId('overview');
  overview.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => {
    overview.setPointerCapture(event.pointerId);
    follow(event);
  });
  overview.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
    if (event.buttons) follow(event);
  });
  overview.addEventListener('keydown', step);
  new ResizeObserver(draw).observe(byId('overview-image'));
}

async function open() {
  byId('browser-problem').textContent = '';
  byId('browser').showModal();
  try {
    images = (await get('/api/images')).images;
  } catch (error) {
    byId('browser-problem').textContent = /** @type {Error} */ (error).message;
    return;
  }
  byId('cut').disabled = images.length === 0;
  if (images.length === 0) {
    byId('browser-problem').textContent = 'There are no prepared images with the channels of this project (ilastik_img); run ilpix prepare first.';
    return;
  }
  byId('image-name').replaceChildren(...images.map(({ name }, i) => make('option', { value: String(i), textContent: name })));
  const sizes = store.crops.map((crop) => crop.size[0]);
  byId('crop-size').value = String(sizes[0] ?? 256);
  choose(images[0]);
}

/** @param {{name: string, size: [number, number]}} chosen */
function choose(chosen) {
  image = chosen;
  const address = `/api/images/${encodeURIComponent(chosen.name)}/picture`;
  byId('overview-image').src = pictureAddress(address, shownChannels(), 768);
  byId('overview').style.aspectRatio = `${chosen.size[1]} / ${chosen.size[0]}`;
  byId('overview').style.setProperty('--shape', String(chosen.size[1] / chosen.size[0]));
  const size = cropSize();
  put(Math.floor((chosen.size[0] - size) / 2), Math.floor((chosen.size[1] - size) / 2));
}

function cropSize() {
  const largest = image ? Math.min(...image.size) : 16;
  return Math.max(16, Math.min(Math.round(Number(byId('crop-size').value)) || 256, largest));
}

/** @param {PointerEvent} event */
function follow(event) {
  if (!image) return;
  const box = byId('overview-image').getBoundingClientRect();
  const size = cropSize();
  put(
    ((event.clientY - box.top) / box.height) * image.size[0] - size / 2,
    ((event.clientX - box.left) / box.width) * image.size[1] - size / 2,
  );
}

/** @param {KeyboardEvent} event */
function step(event) {
  const far = event.shiftKey ? 64 : 8;
  const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!way) return;
  event.preventDefault();
  put(place.y + way[0] * far, place.x + way[1] * far);
}

/** @param {number} y @param {number} x */
function put(y, x) {
  if (!image) return;
  const size = cropSize();
  place = {
    y: Math.round(Math.min(Math.max(y, 0), image.size[0] - size)),
    x: Math.round(Math.min(Math.max(x, 0), image.size[1] - size)),
  };
  draw();
}

function draw() {
  if (!image) return;
  const size = cropSize();
  const frame = byId('frame').style;
  const [height, width] = image.size;
  frame.left = `${(100 * place.x) / width}%`;
  frame.top = `${(100 * place.y) / height}%`;
  frame.width = `${(100 * size) / width}%`;
  frame.height = `${(100 * size) / height}%`;
  byId('cut-place').textContent = `${count(width)} × ${count(height)} px; the crop begins at x ${count(place.x)}, y ${count(place.y)}`;
}

async function cut() {
  if (!image) return;
  byId('cut').disabled = true;
  try {
    const { lane } = await post('/api/cut', { image: image.name, ...place, size: cropSize() });
    byId('browser').close();
    byId('browser').dispatchEvent(new CustomEvent('cut', { detail: lane }));
  } catch (error) {
    byId('browser-problem').textContent = /** @type {Error} */ (error).message;
  }
  byId('cut').disabled = false;
}
