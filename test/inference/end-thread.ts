import type { LocalModel } from '../../src/inference/local-model.ts';

/**
 * Ends an idle thread of a model from within, by a message that it cannot read: what is asked in the same tick is sent to it
 * and finds it dying. Ending it from outside takes the process along while ONNX Runtime is at work.
 */
export function endThread(model: LocalModel): void {
  model['threads'][0]!['worker'].postMessage({ id: -1 });
}
