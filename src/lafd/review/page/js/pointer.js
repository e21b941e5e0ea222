// Mouse, pen and fingers on the picture: draw, move, resize, zoom.

import { between, boxAt, moved, resized, sidesAt } from './geometry.js';

const REACH = { mouse: 7, pen: 12, touch: 20 }; // screen pixels around an edge
const CLICK = { mouse: 3, pen: 5, touch: 10 }; // screen pixels that a click may wander
const CURSORS = { n: 'ns', s: 'ns', e: 'ew', w: 'ew', nw: 'nwse', se: 'nwse', ne: 'nesw', sw: 'nesw' };

export class Pointer {
  constructor(area, view, editor) {
    Object.assign(this, { area, view, editor });
    this.fingers = new Map();
    this.gesture = null; // what a drag does: {start, apply, moved}
    this.armed = false; // the next drag draws, also over a box
    this.panning = false; // while the space bar is held
    for (const kind of ['down', 'move', 'up', 'cancel', 'leave']) {
      area.addEventListener(`pointer${kind}`, (event) => this[kind](event));
    }
    area.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    area.addEventListener('contextmenu', (event) => event.pointerType === 'touch' && event.preventDefault());
  }

  arm(armed) {
    this.armed = armed;
    this.area.classList.toggle('armed', armed);
  }

  down(event) {
    if (!this.editor.picture || event.button === 2) return;
    this.editor.settle();
    this.area.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, event);
    this.gesture = this.fingers.size > 1 ? null : this.begin(event);
    if (this.fingers.size > 1) this.editor.sketch(null);
  }

  /** What a drag that starts here does. */
  begin(event) {
    const { editor, view } = this;
    const point = view.toPicture(event.clientX, event.clientY);
    if (event.button === 1 || this.panning) {
      return { start: event, apply: (now, before) => view.moveBy(now.clientX - before.clientX, now.clientY - before.clientY) };
    }
    const { i, sides } = this.armed ? { i: -1 } : this.hit(event, point);
    const { size } = editor;
    const at = (now) => view.toPicture(now.clientX, now.clientY);
    const by = (now) => at(now).map((value, axis) => value - point[axis]);
    if (i < 0) {
      this.arm(false);
      return { start: event, chosen: -1, end: editor.boxes.length, apply: (now) => editor.sketch([...editor.picture.boxes, ...editor.withNew(between(point, at(now), size)).slice(-1)]) };
    }
    const { box } = editor.boxes[i];
    const drag = (now) => (sides ? resized(box, sides, by(now), size) : moved(box, by(now), size));
    return { start: event, chosen: i, end: i, apply: (now) => editor.sketch(editor.withSides(i, drag(now))) };
  }

  /** The box at a point, and the sides of it that are near. */
  hit(event, point) {
    const { boxes, chosen } = this.editor;
    const reach = REACH[event.pointerType] / this.view.scale;
    if (chosen >= 0) {
      const sides = sidesAt(boxes[chosen].box, point, reach);
      if (sides) return { i: chosen, sides };
    }
    const i = boxAt(boxes, point);
    return { i, sides: i >= 0 && event.pointerType === 'mouse' ? sidesAt(boxes[i].box, point, reach) : '' };
  }

  move(event) {
    if (!this.fingers.size) {
      if (event.pointerType === 'mouse') this.look(event);
      return;
    }
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    if (this.fingers.size === 2) this.pinch(event, before);
    this.fingers.set(event.pointerId, event);
    const { gesture } = this;
    if (!gesture) return;
    const { start } = gesture;
    const far = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
    gesture.moved ||= far > CLICK[event.pointerType];
    if (gesture.moved) gesture.apply(event, before);
  }

  up(event) {
    const { gesture, editor } = this;
    this.fingers.delete(event.pointerId);
    this.gesture = null;
    if (!gesture || gesture.chosen === undefined) return;
    if (!gesture.moved) {
      editor.choose(gesture.chosen);
      return;
    }
    const drawn = editor.boxes[gesture.end].box;
    const tooSmall = Math.min(drawn[2] - drawn[0], drawn[3] - drawn[1]) * this.view.scale < 4;
    if (gesture.chosen < 0 && tooSmall) {
      editor.sketch(null);
      return;
    }
    editor.keep(editor.boxes);
    editor.choose(gesture.end);
  }

  cancel(event) {
    this.fingers.delete(event.pointerId);
    this.gesture = null;
    this.editor.sketch(null);
  }

  leave() {
    if (!this.fingers.size) this.editor.hover(-1);
  }

  /** Shows what a drag from here would do. */
  look(event) {
    if (!this.editor.picture) return;
    const { i, sides } = this.hit(event, this.view.toPicture(event.clientX, event.clientY));
    this.editor.hover(this.armed ? -1 : i);
    this.area.style.cursor = this.panning ? 'grab' : i < 0 || this.armed ? 'crosshair' : sides ? `${CURSORS[sides]}-resize` : 'move';
  }

  pinch(event, before) {
    const other = [...this.fingers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    const distance = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
    const middle = [(event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2];
    this.view.moveBy((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
    this.view.zoomBy(distance(event) / Math.max(1, distance(before)), ...middle);
  }

  wheel(event) {
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? event.deltaY * 20 : event.deltaY;
    this.view.zoomBy(Math.exp(-pixels / (event.ctrlKey ? 100 : 400)), event.clientX, event.clientY);
  }
}
