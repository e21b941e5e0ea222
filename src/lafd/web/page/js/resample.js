// From a picture's pixels to the network's input: scaled as OpenCV does it, BGR, padded with black.
// The picture is read in bands of rows, so that one of 50 megapixels needs no second copy in memory.

const BAND_PIXELS = 4_000_000;

/** The network's input, uint8 (paddedHeight, paddedWidth, 3) BGR, of an ImageBitmap. */
export function networkInput(bitmap, view) {
  // this array rounds and limits values as OpenCV's saturate_cast does
  const input = new Uint8ClampedArray(view.paddedHeight * view.paddedWidth * 3);
  const across = linearWeights(bitmap.width >> view.halvings, view.width);
  const down = linearWeights(bitmap.height >> view.halvings, view.height);
  const sums = new Float32Array(view.width * 3);
  const rows = new RowCache(bitmap, view.halvings, across);
  for (let y = 0, at = 0; y < view.height; y++) {
    sums.fill(0);
    for (let k = 0; k < down.count[y]; k++) {
      const row = rows.get(down.first[y] + k);
      const weight = down.weights[at++];
      for (let i = 0; i < sums.length; i++) sums[i] += row[i] * weight;
    }
    input.set(sums, y * view.paddedWidth * 3);
  }
  return new Uint8Array(input.buffer);
}

/** Rows of the halved bitmap, scaled across to (width, 3) BGR; the two that neighbouring output rows share are kept. */
class RowCache {
  constructor(bitmap, halvings, across) {
    this.bitmap = bitmap;
    this.halvings = halvings;
    this.across = across;
    this.width = bitmap.width >> halvings;
    const rows = Math.min(bitmap.height, Math.floor(BAND_PIXELS / bitmap.width));
    this.bandRows = Math.max(1, rows >> halvings);
    const canvas = new OffscreenCanvas(bitmap.width, this.bandRows << halvings);
    this.context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    if (!this.context) throw new Error('not enough memory for a picture of this size');
    this.context.imageSmoothingEnabled = false;
    this.bandTop = -1;
    this.kept = [0, 1].map(() => ({ y: -1, row: new Float32Array(across.count.length * 3) }));
  }

  get(y) {
    const slot = this.kept[y % 2];
    if (slot.y !== y) {
      scaleRow(this.band(y), (y - this.bandTop) * this.width * 4, this.across, slot.row);
      slot.y = y;
    }
    return slot.row;
  }

  band(y) {
    const top = y - (y % this.bandRows);
    if (top !== this.bandTop) {
      let { width, height } = this.context.canvas;
      this.context.fillStyle = '#fff'; // shows through transparent pixels
      this.context.fillRect(0, 0, width, height);
      this.context.drawImage(this.bitmap, 0, -(top << this.halvings));
      this.pixels = this.context.getImageData(0, 0, width, height).data;
      for (let i = 0; i < this.halvings; i++) {
        this.pixels = halved(this.pixels, width, height);
        width >>= 1;
        height >>= 1;
      }
      this.bandTop = top;
    }
    return this.pixels;
  }
}

/** RGBA pixels (height >> 1, width >> 1): the means of blocks of four, rounded as OpenCV rounds them. */
function halved(pixels, width, height) {
  const out = new Uint8ClampedArray((width >> 1) * (height >> 1) * 4);
  const below = width * 4;
  for (let y = 0, to = 0; y < height >> 1; y++) {
    for (let x = 0; x < width >> 1; x++) {
      const corner = 2 * y * below + 8 * x;
      for (let at = corner; at < corner + 4; at++) {
        out[to++] = (pixels[at] + pixels[at + 4] + pixels[at + below] + pixels[at + below + 4] + 2) >> 2;
      }
    }
  }
  return out;
}

function scaleRow(rgba, start, across, row) {
  const { first, count, weights } = across;
  for (let x = 0, at = 0, to = 0; x < count.length; x++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    let from = start + first[x] * 4;
    for (const end = at + count[x]; at < end; at++, from += 4) {
      const weight = weights[at];
      red += rgba[from] * weight;
      green += rgba[from + 1] * weight;
      blue += rgba[from + 2] * weight;
    }
    row[to++] = blue;
    row[to++] = green;
    row[to++] = red;
  }
}

/** The two neighbours of each pixel of the output (INTER_LINEAR). */
function linearWeights(source, target) {
  const scale = source / target;
  const table = new Weights(target);
  for (let i = 0; i < target; i++) {
    const place = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), source - 1);
    const from = Math.floor(place);
    const part = place - from;
    table.add(i, from, part > 0 ? [1 - part, part] : [1]);
  }
  return table;
}

/** Output pixel i is the sum over k < count[i] of source[first[i] + k] times the next of `weights`. */
class Weights {
  constructor(target) {
    this.first = new Int32Array(target);
    this.count = new Int32Array(target);
    this.weights = [];
  }

  add(i, first, weights) {
    this.first[i] = first;
    this.count[i] = weights.length;
    this.weights.push(...weights);
  }
}
