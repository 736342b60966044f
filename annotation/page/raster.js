// Which pixels a brush, a line or a closed outline covers. Coordinates are continuous: pixel (x, y) has its centre at x + ½, y + ½.

/** Pixels that a stroke covers by now. */
export class Stroke {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.mask = new Uint8Array(width * height);
    this.top = height;
    this.bottom = -1;
    this.left = width;
    this.right = -1;
  }

  /** Cover what a round brush covers on its way. @param {number[]} from @param {number[]} to @param {number} size diameter */
  segment([x0, y0], [x1, y1], size) {
    if (size <= 1) {
      this.#thin(x0, y0, x1, y1);
      return;
    }
    const radius = size / 2;
    const dx = x1 - x0;
    const dy = y1 - y0;
    const length2 = dx * dx + dy * dy;
    const reach = radius * radius + 1e-6;
    for (let y = clamp(Math.floor(Math.min(y0, y1) - radius), this.height); y < Math.min(this.height, Math.max(y0, y1) + radius); y++) {
      for (let x = clamp(Math.floor(Math.min(x0, x1) - radius), this.width); x < Math.min(this.width, Math.max(x0, x1) + radius); x++) {
        const px = x + 0.5 - x0;
        const py = y + 0.5 - y0;
        const share = length2 > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length2)) : 0;
        const ox = px - share * dx;
        const oy = py - share * dy;
        if (ox * ox + oy * oy <= reach) this.#put(x, y);
      }
    }
  }

  /** Cover everything inside a closed outline. @param {number[][]} outline corners */
  fill(outline) {
    for (let y = 0; y < this.height; y++) {
      const crossings = crossingsAt(outline, y + 0.5);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const end = Math.min(this.width, Math.ceil(crossings[i + 1] - 0.5));
        for (let x = clamp(Math.ceil(crossings[i] - 0.5), this.width); x < end; x++) this.#put(x, y);
      }
    }
  }

  clear() {
    this.mask.fill(0);
    this.top = this.height;
    this.left = this.width;
    this.bottom = this.right = -1;
  }

  /** Runs along rows: y, x, length, and so on. */
  runs() {
    const runs = [];
    for (let y = this.top; y <= this.bottom; y++) {
      let first = -1;
      for (let x = this.left; x <= this.right + 1; x++) {
        const isCovered = x <= this.right && this.mask[y * this.width + x] === 1;
        if (isCovered && first < 0) first = x;
        if (!isCovered && first >= 0) {
          runs.push(y, first, x - first);
          first = -1;
        }
      }
    }
    return runs;
  }

  /** A brush of one pixel: every pixel that the way leads through, along its longer axis. */
  #thin(/** @type {number} */ x0, /** @type {number} */ y0, /** @type {number} */ x1, /** @type {number} */ y1) {
    const [fromX, fromY, toX, toY] = [x0, y0, x1, y1].map(Math.floor);
    const steps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY), 1);
    for (let i = 0; i <= steps; i++) {
      const x = Math.round(fromX + ((toX - fromX) * i) / steps);
      const y = Math.round(fromY + ((toY - fromY) * i) / steps);
      if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.#put(x, y);
    }
  }

  #put(/** @type {number} */ x, /** @type {number} */ y) {
    this.mask[y * this.width + x] = 1;
    if (y < this.top) this.top = y;
    if (y > this.bottom) this.bottom = y;
    if (x < this.left) this.left = x;
    if (x > this.right) this.right = x;
  }
}

/** The end of a line that keeps to multiples of 45°. @param {number[]} from @param {number[]} to */
export function straight([x0, y0], [x1, y1]) {
  const angle = Math.round(Math.atan2(y1 - y0, x1 - x0) / (Math.PI / 4)) * (Math.PI / 4);
  const length = Math.hypot(x1 - x0, y1 - y0);
  return [x0 + length * Math.cos(angle), y0 + length * Math.sin(angle)];
}

/** @param {number[][]} outline @param {number} y */
function crossingsAt(outline, y) {
  const crossings = [];
  for (let i = 0; i < outline.length; i++) {
    const [x0, y0] = outline[i];
    const [x1, y1] = outline[(i + 1) % outline.length];
    if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
  }
  return crossings.sort((a, b) => a - b);
}

/** @param {number} value @param {number} end */
const clamp = (value, end) => Math.min(Math.max(value, 0), end);
