// States and pixels of pictures; those that come next are fetched ahead, so that going on is instant.

import * as api from './api.js';

const ENOUGH = Math.min(4096, Math.ceil((Math.max(screen.width, screen.height) * devicePixelRatio) / 512) * 512);
const ALL = 16384;

export class Pictures {
  constructor() {
    this.states = new Map();
    this.images = new Map();
  }

  /** The picture's state, a promise of an object that is changed in place. */
  state(index) {
    return kept(this.states, index, () => api.picture(index));
  }

  /** The picture's pixels, a promise of an <img>. */
  image(index) {
    return kept(this.images, index, () => load(index, ENOUGH));
  }

  /** Pixels in full, where those for the screen are fewer; null where they are not. */
  async sharp({ index, width, height }) {
    return Math.max(width, height) > 2 * ENOUGH ? load(index, ALL) : null;
  }

  /** Fetches these and forgets all others. */
  expect(indices) {
    const wanted = new Set(indices);
    for (const store of [this.states, this.images]) {
      for (const index of store.keys()) if (!wanted.has(index)) store.delete(index);
    }
    for (const index of wanted) {
      this.state(index).catch(() => {});
      this.image(index).catch(() => {});
    }
  }

  /** Replaces a state by the program's. */
  set(picture) {
    this.states.set(picture.index, Promise.resolve(picture));
  }
}

function kept(store, index, make) {
  if (!store.has(index)) {
    const promise = make();
    store.set(index, promise);
    promise.catch(() => store.get(index) === promise && store.delete(index)); // to be tried again
  }
  return store.get(index);
}

async function load(index, side) {
  const image = new Image();
  image.alt = '';
  image.draggable = false;
  image.src = `pictures/${index}?side=${side}`;
  await image.decode();
  return image;
}
