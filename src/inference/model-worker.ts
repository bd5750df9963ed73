import { parentPort, workerData } from 'node:worker_threads';
import { ExecutionProviderError } from './execution-provider.ts';
import type { ImageCacheStats } from './image-cache.ts';
import type { Manifest } from './manifest.ts';
import { type GraphSettings, ModelGraphs } from './model-graphs.ts';
import type { ModelPhase } from './segmentation-model.ts';
import type { SharedBatch } from './window-queue.ts';

/** Worker data of the thread. */
export interface WorkerSetup {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly settings: GraphSettings;
}

/** A batch, or the request to stop. */
export type WorkerRequest = { readonly id: number; readonly batch: SharedBatch } | 'stop';

/** First `ready` or `refused`, then the phases and the answer of each request, in request order. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly message: string; readonly providerReason: string | null }
  | {
      readonly kind: 'logits';
      readonly id: number;
      readonly logits: Float32Array[][];
      readonly cache: ImageCacheStats;
      readonly onnxMs: number;
    }
  | { readonly kind: 'phase'; readonly id: number; readonly phase: ModelPhase }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

const port = parentPort!;
const { folder, manifest, settings } = workerData as WorkerSetup;
const reply = (message: WorkerReply, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function answer(graphs: ModelGraphs, id: number, { cancelled, ...batch }: SharedBatch): Promise<void> {
  try {
    const isCancelled = (request: number): boolean => Atomics.load(cancelled, request) === 1;
    const onPhase = (phase: ModelPhase): void => reply({ kind: 'phase', id, phase });
    const logits = await graphs.answer({ ...batch, isCancelled, onPhase });
    const buffers = logits.flat().map(({ buffer }) => buffer as ArrayBuffer);
    reply({ kind: 'logits', id, logits, cache: graphs.cacheStats, onnxMs: graphs.onnxMs }, buffers);
  } catch (error) {
    reply({ kind: 'failed', id, message: messageOf(error) });
  }
}

function serve(graphs: ModelGraphs): void {
  let turn: Promise<void> = Promise.resolve();
  let stopped = false;
  port.on('message', (request: WorkerRequest) => {
    if (request === 'stop') {
      stopped = true;
      turn = turn.then(() => port.close());
    } else {
      turn = turn.then(() => (stopped ? undefined : answer(graphs, request.id, request.batch)));
    }
  });
  reply({ kind: 'ready' });
}

try {
  serve(await ModelGraphs.load(folder, manifest, settings));
} catch (error) {
  reply({
    kind: 'refused',
    message: messageOf(error),
    providerReason: error instanceof ExecutionProviderError ? error.reason : null,
  });
  port.close();
}
