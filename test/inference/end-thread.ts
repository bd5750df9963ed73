import type { LocalModel } from '../../src/inference/local-model.ts';

/**
 * Ends the thread of a model from within, by a message that it cannot read, when its turn comes: after the batch at hand.
 * Ending it from outside takes the process along while ONNX Runtime is at work.
 */
export function endThread(model: LocalModel): void {
  model['threads'][0]!['worker'].postMessage({ id: -1 });
}
