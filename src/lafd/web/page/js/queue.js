// Which picture is next: the one that is looked at, then the rest in order; one at a time.

export class Queue {
  /** `detect(picture)` gives a promise of its result; `changed(picture)` is called whenever a picture's state changes. */
  constructor({ detect, changed }) {
    Object.assign(this, { detect, changed, pictures: [], first: null, paused: true, busy: false, epoch: 0 });
    this.seconds = 0;
  }

  add(pictures) {
    this.pictures.push(...pictures);
    this.pump();
  }

  clear() {
    this.pictures = [];
    this.first = null;
    this.epoch++;
  }

  /** Detects in every picture again; the old faces stay until the new ones are there. */
  again() {
    this.epoch++;
    for (const picture of this.pictures) {
      if (picture.state === 'failed') continue;
      picture.state = 'waiting';
      this.changed(picture);
    }
    this.pump();
  }

  pause(paused) {
    this.paused = paused;
    this.pump();
  }

  get left() {
    return this.pictures.filter(({ state }) => state === 'waiting' || state === 'busy').length;
  }

  next() {
    if (this.first?.state === 'waiting') return this.first;
    return this.pictures.find(({ state }) => state === 'waiting');
  }

  async pump() {
    if (this.busy) return;
    this.busy = true;
    for (let picture; !this.paused && (picture = this.next()); ) await this.finish(picture);
    this.busy = false;
  }

  async finish(picture) {
    const { epoch } = this;
    const start = performance.now();
    picture.state = 'busy';
    this.changed(picture);
    let outcome;
    try {
      outcome = { state: 'done', result: await this.detect(picture) };
    } catch (error) {
      outcome = { state: 'failed', error: error.message };
    }
    if (epoch !== this.epoch) outcome = picture.state === 'busy' ? { state: 'waiting' } : {};
    Object.assign(picture, outcome);
    picture.seconds = (performance.now() - start) / 1000;
    this.changed(picture);
  }
}
