// The detector's thread: loads a model, finds faces, cuts crops; one request after the other.

import { decode, shrunkCopy } from './decode.js';
import { cropArea, fit, keep } from './geometry.js';
import { networkInput } from './resample.js';
import * as ort from '../vendor/ort.wasm.bundle.min.mjs';

const LEAST_SCORE = 0.05; // the page's threshold goes no lower
const MOST_THREADS = 4; // beyond, a network this small gains nothing
const THUMBNAIL = 160; // px

const wasm = new URL('../vendor/ort-wasm-simd-threaded.wasm.gz', import.meta.url);
const models = new URL('../models/', import.meta.url);

let session;
let card;
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

/** Loads a model of models.json; the engine comes with the first one. */
async function load(model, report) {
  const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
  if (!ort.env.wasm.wasmBinary) {
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.wasmBinary = await unpacked(await download(wasm, (share) => report(share * 0.6)));
  }
  const weights = await download(new URL(`${model.name}.onnx`, models), (share) => report(0.6 + share * 0.4));
  const loaded = await ort.InferenceSession.create(new Uint8Array(weights), { executionProviders: ['wasm'] });
  await session?.release();
  [session, card] = [loaded, model];
  return { threads, version: ort.env.versions.web };
}

async function download(url, report) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw new Error(`${url.pathname} cannot be fetched: the server does not answer.`);
  }
  if (!response.ok) throw new Error(`${url.pathname} cannot be fetched: the server says ${response.status}.`);
  const total = Number(response.headers.get('Content-Length')) || 0;
  const parts = [];
  let done = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    done += part.value.length;
    if (total) report(Math.min(1, done / total));
  }
  return new Blob(parts).arrayBuffer();
}

/** Unpacks gzip; some hosts have the browser do so on the way, then it is done already. */
async function unpacked(buffer) {
  const head = new Uint8Array(buffer, 0, 2);
  if (head[0] !== 0x1f || head[1] !== 0x8b) return buffer;
  return new Response(new Blob([buffer]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
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
    const { boxes, scores } = await session.run({ images: new ort.Tensor('uint8', input, shape) });
    clock.lap('network');
    const faces = keep(boxes.data, scores.data, { view, picture: bitmap, leastScore: LEAST_SCORE, iou: card.iou });
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
