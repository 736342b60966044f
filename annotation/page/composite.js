// Pixels to colours. Nothing here touches the page: arrays in, RGBA out.

/**
 * @typedef {{pixels: Float32Array, color: number[], low: number, high: number}} Lit
 */

/** Channels as a composite: each in its colour, added up. @param {Lit[]} lit @param {Uint8ClampedArray} out RGBA */
export function composite(lit, out) {
  const n = out.length / 4;
  const sums = lit.length === 1 ? null : new Float32Array(3 * n);
  for (const { pixels, color, low, high } of lit) {
    const scale = 1 / Math.max(high - low, 1e-30);
    const [red, green, blue] = color;
    for (let i = 0; i < n; i++) {
      let share = (pixels[i] - low) * scale;
      share = share < 0 ? 0 : share > 1 ? 1 : share;
      if (sums) {
        sums[3 * i] += share * red;
        sums[3 * i + 1] += share * green;
        sums[3 * i + 2] += share * blue;
      } else {
        out[4 * i] = share * red;
        out[4 * i + 1] = share * green;
        out[4 * i + 2] = share * blue;
      }
    }
  }
  for (let i = 0; i < n; i++) {
    if (sums) {
      out[4 * i] = sums[3 * i];
      out[4 * i + 1] = sums[3 * i + 1];
      out[4 * i + 2] = sums[3 * i + 2];
    }
    out[4 * i + 3] = 255;
  }
}

/**
 * Probabilities as the mean of the classes' colours; where hidden classes are probable it is clear.
 * @param {{planes: Uint8Array[], colors: (number[] | null)[]}} given a colour of null hides a class
 * @param {Uint8ClampedArray} out RGBA
 */
export function mixture({ planes, colors }, out) {
  const shown = planes.flatMap((plane, k) => (colors[k] ? [{ plane, color: /** @type {number[]} */ (colors[k]) }] : []));
  for (let i = 0; i < out.length / 4; i++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    let sum = 0;
    for (const { plane, color } of shown) {
      const share = plane[i];
      sum += share;
      red += share * color[0];
      green += share * color[1];
      blue += share * color[2];
    }
    const scale = sum > 0 ? 1 / sum : 0;
    out[4 * i] = red * scale;
    out[4 * i + 1] = green * scale;
    out[4 * i + 2] = blue * scale;
    out[4 * i + 3] = sum;
  }
}

/** Values as colours; without one it is clear. @param {Uint8Array} values @param {Map<number, number[]>} colors @param {Uint8ClampedArray} out RGBA */
export function flat(values, colors, out) {
  const table = new Uint32Array(256);
  for (const [value, [red, green, blue]] of colors) table[value] = rgba(red, green, blue);
  new Uint32Array(out.buffer).set(values.length === out.length / 4 ? Uint32Array.from(values, (value) => table[value]) : []);
}

/** Pixels whose right or lower neighbour is of another class. @param {Uint8Array} values @param {number} width @param {Map<number, number[]>} colors @param {Uint8ClampedArray} out RGBA */
export function outlines(values, width, colors, out) {
  out.fill(0);
  const pixels = new Uint32Array(out.buffer);
  const table = new Uint32Array(256);
  for (const [value, [red, green, blue]] of colors) table[value] = rgba(red, green, blue);
  for (let i = 0; i < values.length; i++) {
    const isEdge =
      ((i + 1) % width !== 0 && values[i + 1] !== values[i]) ||
      (i + width < values.length && values[i + width] !== values[i]) ||
      (i % width !== 0 && values[i - 1] !== values[i]) ||
      (i >= width && values[i - width] !== values[i]);
    if (isEdge) pixels[i] = table[values[i]];
  }
}

/** How close the two best classes are: clear where one is sure, yellow where two are equal. @param {Uint8Array[]} planes @param {Uint8ClampedArray} out RGBA */
export function uncertainty(planes, out) {
  for (let i = 0; i < out.length / 4; i++) {
    let best = 0;
    let second = 0;
    for (const plane of planes) {
      const share = plane[i];
      if (share > best) {
        second = best;
        best = share;
      } else if (share > second) {
        second = share;
      }
    }
    const doubt = 255 - best + second;
    out[4 * i] = 255;
    out[4 * i + 1] = doubt;
    out[4 * i + 2] = 0.2 * (255 - doubt);
    out[4 * i + 3] = doubt;
  }
}

/** As a pixel of four bytes lies in memory. @param {number} red @param {number} green @param {number} blue */
const rgba = (red, green, blue) => (255 << 24) | (blue << 16) | (green << 8) | red;
