// From a picture's size to the network's input, and from boxes of that input to faces.
// The same rules as preprocess.py, boxes.py and detector.py of the Python package.

const STRIDE = 32; // px; the network's input sides are multiples of it
const MAX_ENLARGEMENT = 2;
const MAX_CANDIDATES = 1000; // best boxes that go into non-maximum suppression
const SAME_BOX = 0.7; // IoU from which a suppressed box counts for the exact place of the one that stays
const VOTER = 0.5; // of that one's score is what it needs

/** How a picture meets the network: halved so many times, scaled to width x height, then padded with black. */
export function fit(picture, size) {
  const scale = Math.min(size / Math.max(picture.height, picture.width), MAX_ENLARGEMENT);
  const width = Math.max(1, roundHalfEven(picture.width * scale));
  const height = Math.max(1, roundHalfEven(picture.height * scale));
  const pad = (side) => Math.ceil(side / STRIDE) * STRIDE;
  let halvings = 0;
  while (picture.height >> halvings > 2 * height && picture.width >> halvings > 2 * width) halvings++;
  return { width, height, halvings, paddedWidth: pad(width), paddedHeight: pad(height) };
}

/** Python's round(): halves go to the even neighbour. */
function roundHalfEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/**
 * From every cell's box (xyxy in input pixels) and score to the faces of one picture, best first.
 * A score threshold may be applied afterwards: it drops faces, and neither brings nor moves others.
 */
export function keep(boxes, scores, { view, picture, leastScore, iou }) {
  const seen = (side) => (side >> view.halvings) << view.halvings; // pixels beyond the last whole block are not seen
  const factors = [seen(picture.width) / view.width, seen(picture.height) / view.height];
  const limits = [picture.width, picture.height];
  const found = bestCells(scores, VOTER * leastScore).map((i) => ({
    score: scores[i],
    box: [0, 1, 2, 3].map((side) => {
      const value = boxes[i * 4 + side] * factors[side % 2];
      return Math.min(Math.max(value, 0), limits[side % 2]);
    }),
  }));
  const moved = suppress(found, leastScore, iou).map(vote);
  const faces = suppress(moved, leastScore, iou).map(({ box, score }) => ({ box, score }));
  return faces.filter(({ box }) => box[2] > box[0] && box[3] > box[1]);
}

function bestCells(scores, leastScore) {
  const cells = [];
  for (let i = 0; i < scores.length; i++) if (scores[i] >= leastScore) cells.push(i);
  cells.sort((a, b) => scores[b] - scores[a]);
  return cells.slice(0, MAX_CANDIDATES);
}

/**
 * Non-maximum suppression of boxes, best first: of two that overlap by more than `iou`, the better one stays.
 * Those that stay have `leastScore`, and name the ones that they removed.
 */
function suppress(boxes, leastScore, iou) {
  const kept = [];
  for (const { box, score } of boxes) {
    const better = kept.find((other) => overlap(other.box, box) > iou);
    if (better) better.removed.push({ box, score });
    else if (score >= leastScore) kept.push({ box, score, removed: [] });
  }
  return kept;
}

/** The mean of a box and of those that it removed and that agree with it, by the squares of their scores. */
function vote({ box, score, removed }) {
  const agree = removed.filter((other) => other.score >= VOTER * score && overlap(box, other.box) > SAME_BOX);
  const voters = [{ box, score }, ...agree];
  const total = voters.reduce((sum, voter) => sum + voter.score ** 2, 0);
  const mean = (side) => voters.reduce((sum, voter) => sum + voter.box[side] * voter.score ** 2, 0) / total;
  return { box: [0, 1, 2, 3].map(mean), score };
}

/** Intersection over union of two boxes. */
function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (area(a) + area(b) - shared);
}

function area(box) {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

/** A face's box with a quarter of its sides around it, moved into the picture: {x, y, width, height} in whole pixels. */
export function cropArea(box, picture, margin = 0.25) {
  const [x, width] = widened(box[0], box[2], picture.width, margin);
  const [y, height] = widened(box[1], box[3], picture.height, margin);
  return { x, y, width, height };
}

function widened(from, to, limit, margin) {
  const length = Math.max(1, Math.min(limit, Math.round((to - from) * (1 + 2 * margin))));
  const start = Math.round(from - (to - from) * margin);
  return [Math.min(Math.max(0, start), limit - length), length];
}
