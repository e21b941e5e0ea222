// The picture that is looked at, its boxes, and what may be done to them. Every change is made here.

import { LEAST, moved, resized } from './geometry.js';

const SETTLES = 400; // ms after the last key that moves a box

export class Editor {
  /** changed(picture): is called when the picture's state is another one; show(): when it must be drawn anew. */
  constructor(view, category, changed, show) {
    Object.assign(this, { view, category, changed, show });
    this.picture = null;
    this.drop();
  }

  /** Takes a picture, or none. */
  open(picture) {
    this.settle();
    this.picture = picture;
    this.drop();
    this.show();
  }

  drop() {
    this.chosen = this.hovered = -1;
    this.draft = null; // boxes while they are dragged
  }

  get boxes() {
    return this.draft ?? this.picture?.boxes ?? [];
  }

  get size() {
    return [this.picture.width, this.picture.height];
  }

  /** The box that keys act on, -1 for none. */
  get target() {
    return this.chosen >= 0 ? this.chosen : this.hovered;
  }

  choose(i) {
    this.chosen = i;
    this.show();
  }

  hover(i) {
    if (i === this.hovered) return;
    this.hovered = i;
    this.show();
  }

  /** Chooses the next box, from left to right; -1 steps back. */
  step(by) {
    const order = [...this.boxes.keys()].sort((a, b) => this.boxes[a].box[0] - this.boxes[b].box[0]);
    if (!order.length) return;
    const now = order.indexOf(this.chosen);
    const next = now < 0 ? (by > 0 ? 0 : order.length - 1) : (now + by + order.length) % order.length;
    this.choose(order[next]);
  }

  /** Shows boxes that are not kept yet. */
  sketch(boxes) {
    this.draft = boxes;
    this.show();
  }

  /** A box with other sides; nobody doubts it any more, and no model drew it. */
  withSides(i, box) {
    const { score, doubtful, ...rest } = this.boxes[i];
    return this.boxes.with(i, { ...rest, box, score: null, doubtful: false });
  }

  withNew(box) {
    const made = { box, category: this.category, ignore: false, score: null, doubtful: false, tilt: 0, attributes: {} };
    return [...this.boxes, made];
  }

  /** Moves (`sides` is '') or resizes the chosen box a little; kept when the keys come to rest. */
  nudge(sides, dx, dy, fast) {
    const i = this.target;
    if (i < 0) return;
    this.chosen = i;
    const step = Math.max(1, Math.round(1 / this.view.scale)) * (fast ? 5 : 1);
    const by = [dx * step, dy * step];
    const { box } = this.boxes[i];
    this.sketch(this.withSides(i, sides ? resized(box, sides, by, this.size) : moved(box, by, this.size)));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), SETTLES);
  }

  /** Keeps what keys have moved. */
  settle() {
    clearTimeout(this.timer);
    if (this.draft) this.keep(this.draft);
  }

  /** Puts a new box into the middle of what is seen. */
  add() {
    const { left, top, width, height } = this.view.area.getBoundingClientRect();
    const [x, y] = this.view.toPicture(left + width / 2, top + height / 2);
    const side = Math.max(LEAST, (Math.min(width, height) / this.view.scale) * 0.2);
    const [across, down] = this.size;
    const [w, h] = [Math.min(side, across), Math.min(side, down)];
    const [x1, y1] = [Math.min(Math.max(0, x - w / 2), across - w), Math.min(Math.max(0, y - h / 2), down - h)];
    this.keep(this.withNew([x1, y1, x1 + w, y1 + h].map(Math.round)));
    this.choose(this.boxes.length - 1);
  }

  delete() {
    const i = this.target;
    if (i < 0) return;
    this.keep(this.boxes.toSpliced(i, 1));
    this.drop();
    this.show();
  }

  ignore() {
    const i = this.target;
    if (i < 0) return;
    const box = this.boxes[i];
    this.keep(this.boxes.with(i, { ...box, ignore: !box.ignore, doubtful: false }));
  }

  takeOther() {
    if (!this.picture?.other) return;
    this.drop();
    this.keep(this.picture.other);
  }

  /** Keeps boxes; the picture is "edited" until it is accepted. */
  keep(boxes) {
    this.draft = null;
    if (JSON.stringify(boxes) !== JSON.stringify(this.picture.boxes)) this.set('edited', boxes);
    else this.show();
  }

  /** Accepts or rejects the picture as it is. */
  decide(status) {
    this.settle();
    if (this.picture && this.picture.status !== status) this.set(status, this.picture.boxes);
  }

  set(status, boxes) {
    Object.assign(this.picture, { status, boxes });
    this.changed(this.picture);
    this.show();
  }
}
