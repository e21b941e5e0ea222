// Boxes [x1, y1, x2, y2] in pixels of the picture: what is hit, and what dragging makes of it.

export const LEAST = 2; // pixels that a box has at least

/** The sides that a point is near: '' for none, else letters of n, s, e and w. */
export function sidesAt([x1, y1, x2, y2], [x, y], reach) {
  if (x < x1 - reach || x > x2 + reach || y < y1 - reach || y > y2 + reach) return '';
  const inside = Math.min(reach, (x2 - x1) / 4);
  const within = Math.min(reach, (y2 - y1) / 4); // a small box can still be moved by its middle
  const vertical = y < y1 + within ? 'n' : y > y2 - within ? 's' : '';
  const horizontal = x < x1 + inside ? 'w' : x > x2 - inside ? 'e' : '';
  return vertical + horizontal;
}

/** The index of the smallest box that has the point, -1 for none. */
export function boxAt(boxes, [x, y]) {
  let found = -1;
  for (const [i, { box }] of boxes.entries()) {
    const hit = x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3];
    if (hit && (found < 0 || area(box) < area(boxes[found].box))) found = i;
  }
  return found;
}

export function area([x1, y1, x2, y2]) {
  return (x2 - x1) * (y2 - y1);
}

/** The box between two corners. */
export function between([ax, ay], [bx, by], size) {
  return clipped([Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)], size);
}

/** The box moved, as far as the picture goes. */
export function moved([x1, y1, x2, y2], [dx, dy], [width, height]) {
  const across = Math.max(Math.min(0, -x1), Math.min(dx, Math.max(0, width - x2)));
  const down = Math.max(Math.min(0, -y1), Math.min(dy, Math.max(0, height - y2)));
  return tidy([x1 + across, y1 + down, x2 + across, y2 + down]);
}

/** The box with some sides moved; they pass no other side and not the picture's edge. */
export function resized([x1, y1, x2, y2], sides, [dx, dy], [width, height]) {
  const box = [x1, y1, x2, y2];
  if (sides.includes('w')) box[0] = Math.min(Math.max(0, x1 + dx), x2 - LEAST);
  if (sides.includes('n')) box[1] = Math.min(Math.max(0, y1 + dy), y2 - LEAST);
  if (sides.includes('e')) box[2] = Math.max(Math.min(width, x2 + dx), x1 + LEAST);
  if (sides.includes('s')) box[3] = Math.max(Math.min(height, y2 + dy), y1 + LEAST);
  return tidy(box);
}

function clipped([x1, y1, x2, y2], [width, height]) {
  return tidy([Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)]);
}

function tidy(box) {
  return box.map((side) => Math.round(side * 10) / 10);
}
