// The page's side of the detector's thread: requests go out, promises come back.

export class Detector {
  /** `opened({model, device, threads, version, trouble})` is told what runs from now on, and what kept the GPU from it. */
  constructor(opened) {
    this.opened = opened;
    this.waiting = new Map();
    this.last = 0;
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(event.message || 'Its program could not be loaded.');
    };
  }

  /** Loads a model of models.json for "gpu" or "cpu"; `report` gets the share that is done, 0 to 1. */
  load(model, device, report) {
    return this.ask('load', { model, device }, { report });
  }

  /** Finds the faces of a file, or of an ImageBitmap, which is handed over. */
  detect(source, size, { thumbnail = false } = {}) {
    const transfer = source instanceof ImageBitmap ? [source] : [];
    return this.ask('detect', { source, size, thumbnail }, { transfer });
  }

  /** Cuts faces out of a file, each at most `side` pixels long. */
  crops(file, boxes, { side = Infinity, type = 'image/png' } = {}) {
    return this.ask('crops', { file, boxes, side, type });
  }

  /** Ends the thread; what it was asked and did not answer fails. */
  close() {
    this.worker.terminate();
    this.fail('The detector was stopped.');
  }

  ask(kind, request, { report, transfer = [] } = {}) {
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(new Error(this.broken));
      const id = ++this.last;
      this.waiting.set(id, { resolve, reject, report });
      this.worker.postMessage({ id, kind, request }, transfer);
    });
  }

  receive({ id, value, error, progress, engine }) {
    if (engine) return this.opened(engine);
    const asked = this.waiting.get(id);
    if (!asked) return;
    if (progress !== undefined) return asked.report?.(progress);
    this.waiting.delete(id);
    if (error === undefined) asked.resolve(value);
    else asked.reject(new Error(error));
  }

  fail(reason) {
    this.broken = reason;
    for (const { reject } of this.waiting.values()) reject(new Error(reason));
    this.waiting.clear();
  }
}
