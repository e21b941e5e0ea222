// Shows the editor's picture and all that is said of it.

import { drawBoxes } from './boxes.js';
import { listFaces } from './faces.js';

const STATUSES = { unseen: 'To do', edited: 'Edited', accepted: 'Accepted', rejected: 'Rejected' };
const $ = (id) => document.getElementById(id);

export class Stage {
  constructor(editor, category) {
    Object.assign(this, { editor, category });
    this.image = null;
    this.boxes = this.other = true; // whether they are shown
    this.pending = false;
    this.listed = [];
  }

  /** Takes the picture's pixels; null while they are not there, or an error. */
  setImage(image) {
    this.image?.remove?.();
    const failed = image instanceof Error;
    this.image = failed ? null : image;
    if (this.image) $('frame').prepend(image);
    $('frame').classList.toggle('waiting', !image);
    $('frame').classList.toggle('failed', failed);
    this.show();
  }

  /** Draws with the next frame of the screen, however often it is called. */
  show() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  draw() {
    const { picture } = this.editor;
    $('frame').hidden = !picture;
    for (const id of ['accept', 'reject', 'draw']) $(id).disabled = !picture;
    for (const id of ['ignore', 'delete']) $(id).disabled = !picture || this.editor.target < 0;
    $('badge').textContent = picture ? STATUSES[picture.status] : '';
    $('badge').dataset.status = picture?.status ?? '';
    if (!picture) {
      $('faces').replaceChildren();
      return;
    }
    $('stage-title').textContent = picture.name;
    $('boxes').hidden = !this.boxes;
    drawBoxes($('boxes'), this.editor, this);
    $('fault').hidden = !picture.fault;
    $('fault').textContent = picture.fault ?? '';
    if (!this.editor.draft) this.list();
  }

  /** The boxes beside the picture, drawn anew only where they changed. */
  list() {
    const { editor, image, category } = this;
    const { picture, boxes, chosen } = editor;
    const shown = [picture, boxes, chosen, image, picture.status];
    if (shown.every((value, i) => value === this.listed[i])) return;
    this.listed = shown;
    const held = $('faces').contains(document.activeElement);
    listFaces($('faces'), editor, image, category);
    if (held) ($('faces').querySelector('[aria-pressed="true"]') ?? $('area')).focus();
    $('face-count').textContent = boxes.length;
    $('faces-help').textContent = boxes.length ? '' : 'No boxes. Drag on the picture to draw one.';
    this.compare(picture);
  }

  compare(picture) {
    const { other, differences } = picture;
    $('take-other').disabled = !other;
    $('compare-count').textContent = other?.length ?? '';
    $('compare-help').textContent = !other
      ? 'The other file does not have this picture.'
      : differences
        ? `${differences} boxes without a counterpart.`
        : 'Every box has its counterpart.';
  }
}
