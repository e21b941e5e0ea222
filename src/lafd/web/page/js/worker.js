// The detector's thread: loads a model, finds faces, cuts crops; one request after the other.

import { decode, shrunkCopy } from './decode.js';
import { Engine } from './engine.js';
import { cropArea, fit, keep } from './geometry.js';
import { networkInput } from './resample.js';

const LEAST_SCORE = 0.05; // the page's threshold goes no lower
const THUMBNAIL = 160; // px

let engine;
let busy = Promise.resolve();

self.onmessage = ({ data }) => {
  busy = busy.then(() => answer(data));
};

async function answer({ id, kind, request }) {
  try {
    const value = await handlers[kind](request, (progress) => self.postMessage({ id, progress }));
    self.postMessage({ id, value });
  } catch (error) {
    self.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

const handlers = { load, detect, crops };

/** Loads a model of models.json for "gpu" or "cpu", for the latter also where the former fails; tells which it is. */
async function load({ model, device }, report) {
  let opened;
  let trouble;
  try {
    opened = await Engine.open(model, device, report);
  } catch (error) {
    if (device === 'cpu') throw error;
    trouble = error.message;
    opened = await Engine.open(model, 'cpu', report);
  }
  await engine?.close();
  engine = opened;
  self.postMessage({ engine: { ...engine.facts, trouble } });
}

/** Runs the network; a GPU that fails on the way, as when it is taken from the page, is given up. */
async function run(input, shape) {
  try {
    return await engine.run(input, shape);
  } catch (error) {
    if (engine.device === 'cpu') throw error;
    engine = await Engine.open(engine.model, 'cpu', () => {});
    self.postMessage({ engine: { ...engine.facts, trouble: error.message } });
    return engine.run(input, shape);
  }
}

/** Finds faces in a file or a bitmap: {width, height, faces, times in ms, thumbnail}. */
async function detect({ source, size, thumbnail }) {
  const clock = new Clock();
  const bitmap = source instanceof Blob ? await decode(source) : source;
  clock.lap('reading');
  try {
    const view = fit(bitmap, size);
    const input = networkInput(bitmap, view);
    clock.lap('preparing');
    const shape = [1, view.paddedHeight, view.paddedWidth, 3];
    const { boxes, scores } = await run(input, shape);
    clock.lap('network');
    const faces = keep(boxes, scores, { view, picture: bitmap, leastScore: LEAST_SCORE, iou: engine.model.iou });
    clock.lap('choosing');
    const { width, height } = bitmap;
    const small = thumbnail && (await shrunkCopy(bitmap, { x: 0, y: 0, width, height }, THUMBNAIL, 'image/jpeg'));
    return { width, height, faces, view: [view.width, view.height], times: clock.times, thumbnail: small };
  } finally {
    bitmap.close();
  }
}

/** Cuts faces out of a file, each at most `side` pixels long. */
async function crops({ file, boxes, side, type }) {
  const bitmap = await decode(file);
  try {
    const cuts = [];
    for (const box of boxes) cuts.push(await shrunkCopy(bitmap, cropArea(box, bitmap), side, type));
    return cuts;
  } finally {
    bitmap.close();
  }
}

class Clock {
  times = {};
  last = performance.now();

  lap(name) {
    const now = performance.now();
    this.times[name] = now - this.last;
    this.last = now;
  }
}
