// The faces of the picture that is looked at, cut out, each a button that saves it.

import { save, stemOf } from './results.js';
import { percent } from './stage.js';

const SIDE = 192; // px, of the cuts that are shown
const MOST = 200; // cuts that are shown

export class Faces {
  constructor(element, { detector, light, failed }) {
    Object.assign(this, { element, detector, light, failed, picture: null, faces: [] });
    this.cuts = new Map(); // face to object URL, empty where cutting failed
    this.images = new Map(); // face to element
  }

  show(picture, faces) {
    if (picture?.result !== this.result) this.forget();
    this.picture = picture;
    this.result = picture?.result;
    this.faces = faces.slice(0, MOST);
    this.images.clear();
    this.element.replaceChildren(...this.faces.map((face, i) => this.item(face, i)));
    this.cut();
  }

  /** Cuts out the faces that are shown and not cut yet. */
  async cut() {
    if (this.cutting) return;
    this.cutting = true;
    for (let missing; (missing = this.faces.filter((face) => !this.cuts.has(face))).length; ) {
      const boxes = missing.map((face) => face.box);
      const wish = { side: SIDE, type: 'image/jpeg' };
      const cuts = await this.detector().crops(this.picture.file, boxes, wish).catch(() => []);
      for (const [i, face] of missing.entries()) {
        if (!this.faces.includes(face)) continue; // another picture is shown by now
        this.cuts.set(face, cuts[i] ? URL.createObjectURL(cuts[i]) : '');
        this.images.get(face).src = this.cuts.get(face);
      }
    }
    this.cutting = false;
  }

  item(face, index) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'crop';
    const image = Object.assign(new Image(), { alt: '' });
    if (this.cuts.get(face)) image.src = this.cuts.get(face);
    this.images.set(face, image);
    const label = document.createElement('span');
    label.textContent = percent(face.score);
    button.append(image, label);
    button.setAttribute('aria-label', `Save face ${index + 1}, score ${percent(face.score)}`);
    button.title = 'Save this face';
    for (const event of ['pointerenter', 'focus']) button.addEventListener(event, () => this.light(index));
    for (const event of ['pointerleave', 'blur']) button.addEventListener(event, () => this.light(-1));
    button.addEventListener('click', () => this.saveFace(face, index));
    const item = document.createElement('li');
    item.append(button);
    return item;
  }

  async saveFace(face, index) {
    const { picture } = this;
    try {
      const [cut] = await this.detector().crops(picture.file, [face.box]);
      save(cut, `${stemOf(picture.path)}-${index + 1}.png`);
    } catch (error) {
      this.failed(error);
    }
  }

  forget() {
    for (const url of this.cuts.values()) URL.revokeObjectURL(url);
    this.cuts.clear();
  }
}
