// From a picture's pixels to the network's input: scaled as OpenCV does it, BGR, padded with black.
// The picture is read in bands of rows, so that one of 50 megapixels needs no second copy in memory.

const BAND_PIXELS = 4_000_000;

/** The network's input, uint8 (paddedHeight, paddedWidth, 3) BGR, of an ImageBitmap. */
export function networkInput(bitmap, view) {
  // this array rounds and limits values as OpenCV's saturate_cast does
  const input = new Uint8ClampedArray(view.paddedHeight * view.paddedWidth * 3);
  const shrinks = view.width * view.height < bitmap.width * bitmap.height;
  const across = shrinks ? areaWeights(bitmap.width, view.width) : linearWeights(bitmap.width, view.width);
  const down = shrinks ? areaWeights(bitmap.height, view.height) : linearWeights(bitmap.height, view.height);
  const sums = new Float32Array(view.width * 3);
  const rows = new RowCache(bitmap, across);
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

/** Rows of the bitmap, scaled across to (width, 3) BGR; the two that neighbouring output rows share are kept. */
class RowCache {
  constructor(bitmap, across) {
    this.bitmap = bitmap;
    this.across = across;
    this.bandRows = Math.max(1, Math.min(bitmap.height, Math.floor(BAND_PIXELS / bitmap.width)));
    const canvas = new OffscreenCanvas(bitmap.width, this.bandRows);
    this.context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    if (!this.context) throw new Error('not enough memory for a picture of this size');
    this.context.imageSmoothingEnabled = false;
    this.bandTop = -1;
    this.kept = [0, 1].map(() => ({ y: -1, row: new Float32Array(across.count.length * 3) }));
  }

  get(y) {
    const slot = this.kept[y % 2];
    if (slot.y !== y) {
      scaleRow(this.band(y), (y - this.bandTop) * this.bitmap.width * 4, this.across, slot.row);
      slot.y = y;
    }
    return slot.row;
  }

  band(y) {
    const top = y - (y % this.bandRows);
    if (top !== this.bandTop) {
      const { width } = this.bitmap;
      this.context.fillStyle = '#fff'; // shows through transparent pixels
      this.context.fillRect(0, 0, width, this.bandRows);
      this.context.drawImage(this.bitmap, 0, -top);
      this.pixels = this.context.getImageData(0, 0, width, this.bandRows).data;
      this.bandTop = top;
    }
    return this.pixels;
  }
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

/** For each pixel of the output, which pixels of the source it covers and how much of it each fills (INTER_AREA). */
function areaWeights(source, target) {
  const scale = source / target;
  const table = new Weights(target);
  for (let i = 0; i < target; i++) {
    const start = i * scale;
    const end = Math.min(start + scale, source);
    const from = Math.min(Math.floor(start + 1e-3), source - 1);
    const to = Math.max(Math.min(Math.ceil(end - 1e-3), source), from + 1);
    const shares = [];
    for (let j = from; j < to; j++) shares.push(Math.min(j + 1, end) - Math.max(j, start));
    const total = shares.reduce((sum, share) => sum + share);
    table.add(i, from, shares.map((share) => share / total));
  }
  return table;
}

/** The two neighbours of each pixel of an enlarged output (INTER_LINEAR). */
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
