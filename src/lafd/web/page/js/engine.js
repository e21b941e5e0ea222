// ONNX Runtime Web: where it can run here, and a model loaded into it.

const MOST_THREADS = 4; // beyond, a network this small gains nothing

const BUILDS = {
  cpu: {
    script: () => import('../vendor/ort.wasm.bundle.min.mjs'),
    program: '../vendor/ort-wasm-simd-threaded.wasm.gz',
    provider: 'wasm',
    threads: () => (self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1),
  },
  gpu: {
    script: () => import('../vendor/ort.jspi.bundle.min.mjs'),
    program: '../vendor/ort-wasm-simd-threaded.jspi.wasm.gz',
    provider: 'webgpu',
    threads: () => 1,
  },
};

/** Where the network can run in this browser, the best first: "gpu" and "cpu". */
export async function devices() {
  if (!('Suspending' in WebAssembly)) return ['cpu']; // the build for the GPU needs it
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!adapter) return ['cpu'];
  return adapter.info.isFallbackAdapter ? ['cpu', 'gpu'] : ['gpu', 'cpu']; // a GPU that is only imitated is slow
}

/** A model of models.json, ready to run. */
export class Engine {
  /** Downloads what is missing and loads it; `report` gets the share that is done, 0 to 1. */
  static async open(model, device, report) {
    const { script, program, provider, threads } = BUILDS[device];
    const ort = await script();
    const { wasm } = ort.env;
    if (!wasm.wasmBinary) {
      wasm.numThreads = threads();
      wasm.wasmBinary = await unpacked(await download(program, (share) => report(share * 0.6)));
    }
    const weights = await download(`../models/${model.name}.onnx`, (share) => report(0.6 + share * 0.4));
    const options = { executionProviders: [provider], logSeverityLevel: 3 };
    const session = await ort.InferenceSession.create(new Uint8Array(weights), options);
    const engine = new Engine();
    Object.assign(engine, { ort, session, model, device });
    await engine.run(new Uint8Array(64 * 64 * 3), [1, 64, 64, 3]); // a GPU that fails does so here
    return engine;
  }

  /** What the page tells of it. */
  get facts() {
    const { wasm, versions } = this.ort.env;
    return { model: this.model.name, device: this.device, threads: wasm.numThreads, version: versions.web };
  }

  /** Runs the network on a uint8 BGR input of a shape (1, height, width, 3): {boxes, scores}. */
  async run(input, shape) {
    const { boxes, scores } = await this.session.run({ images: new this.ort.Tensor('uint8', input, shape) });
    return { boxes: boxes.data, scores: scores.data };
  }

  close() {
    return this.session.release();
  }
}

async function download(path, report) {
  const url = new URL(path, import.meta.url);
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
