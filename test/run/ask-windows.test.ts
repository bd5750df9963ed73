import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { ModelLateError, type SegmentationModel } from '../../src/inference/segmentation-model.ts';
import { planWindows } from '../../src/raster/window-plan.ts';
import type { ImageSource } from '../../src/imagery/image-source.ts';
import type { Scene } from '../../src/scene/scene.ts';
import { answersInOrder, type WindowAnswer } from '../../src/run/ask-windows.ts';
import { LateWindow } from '../../src/run/late-window.ts';

const SIDE = 8;
const WINDOWS = 6;
/** A row of windows; each has a quarter in common with the next. */
const plan = planWindows({
  widthPx: SIDE + 0.75 * SIDE * (WINDOWS - 1),
  heightPx: SIDE,
  modelPx: SIDE,
  mode: 'WINDOWS',
  sceneGsdM: null,
  modelGsdRangeM: { min: 0.1, max: 10 },
  maxWindows: 100,
});
/** Whether the model answers windows behind the one it works on, as several servers may. */
type Order = 'one by one' | 'at once';

/** A model that says of a window which one it is, and what became of all that is asked of it. */
class FakeRun {
  readonly phases: string[] = [];
  readonly found: number[] = [];
  readonly reads: number[] = [];
  readonly written = new Map<number, WindowAnswer>();
  readonly controller = new AbortController();
  earlier = new Map<number, WindowAnswer>();
  mostUnderWay = 0;
  windowMs = 0;
  fails: { readonly index: number; readonly error: Error } | null = null;
  private underWay = 0;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly order: Order = 'one by one') {}

  readonly asking = () => ({
    scene: {} as Scene,
    source: { readRgb: (window: { x: number }) => this.read(window.x) } as unknown as ImageSource,
    model: { info: { logitsPx: 2 } as SegmentationModel['info'], infer: this.infer },
    questions: [{ task: 'REFERRING', text: 'water' }] as const,
    plan,
    kept: {
      has: (index: number) => this.earlier.has(index),
      read: async (index: number) => {
        const answer = this.earlier.get(index) ?? null;
        this.earlier.delete(index);
        return answer;
      },
      write: async (index: number, answer: WindowAnswer) => void this.written.set(index, answer),
    },
    progress: { enter: (phase: string) => void this.phases.push(phase) },
    signal: this.controller.signal,
  });

  /** Takes all answers, each about its own window. */
  async all(): Promise<void> {
    for await (const { planned, answer } of answersInOrder(this.asking())) {
      expect(answer.logits[0]![0]).toBe(planned.index);
      this.found.push(planned.index);
    }
  }

  private async read(x: number) {
    const index = plan.windows.findIndex(({ window }) => window.x === x);
    this.reads.push(index);
    return { rgb: new Uint8Array(SIDE * SIDE * 3).fill(index), valid: new Uint8Array(SIDE * SIDE).fill(1) };
  }

  private readonly infer: SegmentationModel['infer'] = (image, _questions, signal, onPhase) => {
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const before = this.order === 'at once' ? Promise.resolve() : this.turn;
    const answer = before.then(async () => {
      signal?.throwIfAborted();
      onPhase?.('encoding');
      if (this.windowMs > 0) await sleep(this.windowMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
      if (this.fails && this.fails.index === image[0]) throw this.fails.error;
      onPhase?.('reasoning');
      return [new Float32Array(4).fill(image[0]!)];
    });
    this.turn = answer.catch(() => undefined);
    return answer.finally(() => (this.underWay -= 1));
  };
}

const ALL = [0, 1, 2, 3, 4, 5];

describe.each<Order>(['one by one', 'at once'])('windows that the model answers %s', (order) => {
  let run: FakeRun;
  beforeEach(() => {
    run = new FakeRun(order);
  });

  it('are asked about two at a time, read once each, and come in the order of the plan', async () => {
    run.windowMs = 5;
    await run.all();
    expect(run.found).toEqual(ALL);
    expect(run.mostUnderWay).toBe(2);
    expect(run.reads).toEqual(ALL);
  });

  it('tell their phases when it is their turn', async () => {
    run.windowMs = 5;
    await run.all();
    expect(run.phases).toEqual(ALL.flatMap(() => ['reading', 'encoding', 'reasoning']));
  });

  it('are asked about one at a time when they take long', async () => {
    run.windowMs = 1100;
    for await (const { planned } of answersInOrder(run.asking())) if (planned.index === 1) break;
    expect(run.mostUnderWay).toBe(1);
    expect(run.reads).toEqual([0, 1, 2]);
  }, 20_000);

  it('are not asked about when an earlier attempt has their answers', async () => {
    const answer = (index: number): WindowAnswer => ({
      logits: [new Float32Array(4).fill(index)],
      valid: new Uint8Array(SIDE * SIDE).fill(1),
    });
    run.earlier = new Map([0, 1, 3].map((index) => [index, answer(index)]));
    const durations: unknown[] = [];
    for await (const { durationMs } of answersInOrder(run.asking())) durations.push(durationMs === null);
    expect(durations).toEqual([true, true, false, true, false, false]);
    expect(run.reads).toEqual([2, 4, 5]);
  });

  it('are kept when an earlier one fails, and the failure is reported', async () => {
    run.windowMs = 5;
    run.fails = { index: 3, error: new Error('out of memory') };
    await expect(run.all()).rejects.toThrow('out of memory');
    expect(run.found).toEqual([0, 1, 2]);
    expect([...run.written.keys()]).toEqual([4]);
    expect(run.written.get(4)!.logits[0]![0]).toBe(4);
  });

  it('stop with the reason of the signal, those that wait too, and nothing is kept', async () => {
    run.windowMs = 50;
    const reason = new Error('cancelled');
    setTimeout(() => run.controller.abort(reason), 75);
    await expect(run.all()).rejects.toBe(reason);
    expect(run.written.size).toBe(0);
    expect(run.reads.length).toBeLessThan(WINDOWS);
  });

  it('say which of them the model was late with', async () => {
    run.fails = { index: 2, error: new ModelLateError('tiny/1', 'no answer in 3 s') };
    await expect(run.all()).rejects.toSatisfy(
      (error) => error instanceof LateWindow && error.number === 3 && error.windows === WINDOWS,
    );
  });
});
