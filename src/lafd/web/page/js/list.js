// The list of pictures: a list box that the arrow keys move through.

import { facesAbove } from './results.js';

export class PictureList {
  constructor(element, select) {
    this.element = element;
    this.select = select;
    this.entries = new Map();
    element.addEventListener('click', (event) => {
      const entry = event.target.closest('.entry');
      if (entry) select(entry.picture);
    });
    element.addEventListener('keydown', (event) => this.move(event));
  }

  add(pictures) {
    for (const picture of pictures) {
      const entry = document.createElement('div');
      entry.className = 'entry';
      entry.id = `picture-${picture.id}`;
      entry.role = 'option';
      entry.picture = picture;
      entry.innerHTML = '<span class="thumbnail"></span><div><span class="name"></span><span class="state"></span></div>';
      entry.querySelector('.name').textContent = picture.path.split('/').pop();
      entry.title = picture.path;
      entry.setAttribute('aria-selected', 'false');
      this.entries.set(picture, entry);
    }
    this.element.append(...pictures.map((picture) => this.entries.get(picture)));
  }

  clear() {
    for (const { thumbnail } of this.entries.keys()) if (thumbnail) URL.revokeObjectURL(thumbnail);
    this.entries.clear();
    this.element.replaceChildren();
    this.element.removeAttribute('aria-activedescendant');
  }

  update(picture, threshold) {
    const entry = this.entries.get(picture);
    if (!entry) return;
    entry.dataset.state = picture.state;
    entry.querySelector('.state').textContent = stateText(picture, threshold);
    const place = entry.querySelector('.thumbnail');
    if (picture.thumbnail && !(place instanceof HTMLImageElement)) {
      const image = Object.assign(new Image(), { className: 'thumbnail', alt: '', src: picture.thumbnail });
      place.replaceWith(image);
    } else if (picture.state === 'failed' && !place.firstChild) {
      place.innerHTML = '<svg class="mark" aria-hidden="true"><use href="#i-warning"></use></svg>';
    }
  }

  show(picture) {
    this.element.querySelector('[aria-selected="true"]')?.setAttribute('aria-selected', 'false');
    const entry = this.entries.get(picture);
    if (!entry) return;
    entry.setAttribute('aria-selected', 'true');
    this.element.setAttribute('aria-activedescendant', entry.id);
    // not scrollIntoView, which on a phone would move the page as well
    const { element } = this;
    const [box, view] = [entry.getBoundingClientRect(), element.getBoundingClientRect()];
    if (box.top < view.top || box.bottom > view.bottom) element.scrollTop += box.top - view.top - view.height / 3;
    if (box.left < view.left || box.right > view.right) element.scrollLeft += box.left - view.left - view.width / 3;
  }

  move(event) {
    const entries = [...this.element.children];
    const now = entries.findIndex((entry) => entry.getAttribute('aria-selected') === 'true');
    const steps = { ArrowDown: now + 1, ArrowRight: now + 1, ArrowUp: now - 1, ArrowLeft: now - 1 };
    const target = { ...steps, Home: 0, End: entries.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const entry = entries[Math.max(0, Math.min(target, entries.length - 1))];
    if (entry) this.select(entry.picture);
  }
}

function stateText(picture, threshold) {
  if (picture.state === 'failed') return picture.error;
  if (picture.result) return faceCount(facesAbove(picture, threshold).length);
  return picture.state === 'busy' ? 'Looking…' : 'Waiting';
}

export function faceCount(count) {
  return count === 1 ? '1 face' : count ? `${count} faces` : 'No face';
}
