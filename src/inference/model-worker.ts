import { parentPort, workerData } from 'node:worker_threads';
import type { Manifest } from './manifest.ts';
import { ModelGraphs, type TokenizedQuestion } from './model-graphs.ts';

/** What the worker is started with. */
export interface WorkerSetup {
  /** Id of the empty answer that says that the graphs are loaded. */
  readonly start: number;
  readonly folder: string;
  readonly manifest: Manifest;
  readonly threads: number;
}

/** A window and its questions, or the request to end the thread. */
export type WorkerRequest =
  | { readonly id: number; readonly image: Uint8Array; readonly questions: readonly TokenizedQuestion[] }
  | 'stop';

/** One answer per request, in the order of the requests. */
export type WorkerReply =
  | { readonly kind: 'logits'; readonly id: number; readonly logits: Float32Array[] }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

const port = parentPort!;
const { start, folder, manifest, threads } = workerData as WorkerSetup;
const graphs = await ModelGraphs.load(folder, manifest, threads);
let turn: Promise<void> = Promise.resolve();
let stopped = false;

async function answer({ id, image, questions }: Exclude<WorkerRequest, 'stop'>): Promise<void> {
  if (stopped) return;
  try {
    const logits = await graphs.infer(image, questions);
    const reply: WorkerReply = { kind: 'logits', id, logits };
    port.postMessage(
      reply,
      logits.map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    const reply: WorkerReply = { kind: 'failed', id, message: error instanceof Error ? error.message : String(error) };
    port.postMessage(reply);
  }
}

port.on('message', (request: WorkerRequest) => {
  if (request !== 'stop') {
    turn = turn.then(() => answer(request));
    return;
  }
  stopped = true;
  turn = turn.then(() => port.close());
});
port.postMessage({ kind: 'logits', id: start, logits: [] } satisfies WorkerReply);
