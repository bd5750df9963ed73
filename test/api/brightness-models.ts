import { setTimeout as sleep } from 'node:timers/promises';
import type { Models } from '../../src/app.ts';
import { UnknownModelError } from '../../src/inference/model-registry.ts';
import {
  type ModelInfo,
  type Question,
  QuestionTooLongError,
  type SegmentationModel,
} from '../../src/inference/segmentation-model.ts';

const WINDOW_PX = 64;
const LOGITS_PX = 16;
const info: ModelInfo = {
  id: 'brightness/1',
  name: 'brightness',
  version: '1',
  sha256: 'c'.repeat(64),
  windowPx: WINDOW_PX,
  logitsPx: LOGITS_PX,
  gsdM: { min: 0.1, max: 10 },
  licence: 'Apache-2.0',
};

/**
 * A model whose answers can be told in advance: "dark" finds what is darker than half, "bright" the rest, anything else
 * nothing. It looks at the mean of each 4 x 4 block of pixels, and works on one window after the other.
 */
export class BrightnessModel implements SegmentationModel {
  readonly info = info;
  windowsAsked = 0;
  /** Awaited before each answer, so that a test can hold a run. */
  gate: Promise<void> = Promise.resolve();
  /** Time that a window takes, milliseconds. */
  pauseMs = 0;
  /** What every window comes to, instead of an answer. */
  failure: Error | null = null;
  /** Windows that are answered all the same before {@link failure}. */
  failsAfter = 0;
  private turn: Promise<unknown> = Promise.resolve();

  ready(): boolean {
    return true;
  }

  check({ text }: Question): void {
    if (text.length > 500) throw new QuestionTooLongError(text.length, 500);
  }

  async infer(...request: Parameters<SegmentationModel['infer']>): Promise<Float32Array[]> {
    const answer = this.turn.then(() => this.answer(...request));
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  private async answer(
    image: Uint8Array,
    questions: readonly Question[],
    signal?: AbortSignal,
    onPhase?: (phase: 'encoding' | 'reasoning') => void,
  ): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    if (this.failure && this.windowsAsked >= this.failsAfter) throw this.failure;
    onPhase?.('encoding');
    if (this.pauseMs > 0) await sleep(this.pauseMs / 2, undefined, { signal }).catch(() => undefined);
    onPhase?.('reasoning');
    await openedOrAborted(this.gate, signal);
    if (this.pauseMs > 0) await sleep(this.pauseMs / 2, undefined, { signal }).catch(() => undefined);
    signal?.throwIfAborted();
    this.windowsAsked += 1;
    const brightness = blockMeans(image);
    return questions.map(({ text }) => {
      const sign = text === 'bright' ? 1 : text === 'dark' ? -1 : 0;
      return brightness.map((value) => (sign === 0 ? -8 : (sign * (value - 127.5)) / 16));
    });
  }

  async close(): Promise<void> {}
}

async function openedOrAborted(gate: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const listening = new AbortController();
  const aborted = new Promise<void>((resolve) =>
    signal?.addEventListener('abort', () => resolve(), { once: true, signal: listening.signal }),
  );
  await Promise.race([gate, aborted]);
  listening.abort();
}

function blockMeans(image: Uint8Array): Float32Array {
  const means = new Float32Array(LOGITS_PX ** 2);
  for (let i = 0; i < image.length; i++) {
    const pixel = Math.floor(i / 3);
    const block = Math.floor(pixel / WINDOW_PX / 4) * LOGITS_PX + Math.floor((pixel % WINDOW_PX) / 4);
    means[block] = means[block]! + image[i]! / 48;
  }
  return means;
}

/** The registry that holds that one model. */
export function brightnessModels(model: BrightnessModel): Models {
  return {
    list: () => [info],
    isReady: () => true,
    get: async (wanted) => {
      if (wanted !== undefined && wanted !== info.name && wanted !== info.id)
        throw new UnknownModelError(wanted, [info.id]);
      return model;
    },
    close: () => model.close(),
  };
}
