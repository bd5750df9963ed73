import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type BatchReport,
  type SharedBatch,
  WindowQueue,
  type WindowRunner,
} from '../../src/inference/window-queue.ts';
import type { ModelPhase } from '../../src/inference/segmentation-model.ts';

/** A runner that answers when it is told to: each question with the number of questions of its batch. */
class HeldRunner implements WindowRunner {
  readonly batches: SharedBatch[] = [];
  private release: (() => void)[] = [];
  private phases: ((phase: ModelPhase) => void)[] = [];

  async run(batch: SharedBatch, onPhase: (phase: ModelPhase) => void): Promise<Float32Array[][]> {
    this.batches.push(batch);
    this.phases.push(onPhase);
    await new Promise<void>((resolve) => this.release.push(resolve));
    const count = batch.requests.flat().length;
    return batch.requests.map((questions) => questions.map(() => Float32Array.of(count)));
  }

  /** Says what is done with a batch. */
  tell(phase: ModelPhase, batch = 0): void {
    this.phases[batch]!(phase);
  }

  /** Lets the batch at hand end, and whatever follows begin. */
  async finish(): Promise<void> {
    this.release.shift()!();
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  }

  get keys(): string[] {
    return this.batches.map(({ key }) => key);
  }
}

const question = { task: 'REFERRING', ids: [1] } as const;
const request = (key: string, questions = 1, signal?: AbortSignal) => ({
  key,
  image: new Uint8Array(1),
  questions: Array.from({ length: questions }, () => question),
  signal,
});

function queueOf(runners: readonly HeldRunner[], { maxWaiting = 100, maxQuestions = 32 } = {}) {
  const reports: BatchReport[] = [];
  const busy = (retryAfterS: number) => new Error(`busy for ${retryAfterS} s`);
  const queue = new WindowQueue(runners, { maxWaiting, maxQuestions }, busy, (batch) => reports.push(batch));
  return { queue, reports };
}

describe('WindowQueue', () => {
  it('answers what waits for one window in one batch, in the order of the windows', async () => {
    const runner = new HeldRunner();
    const { queue, reports } = queueOf([runner]);
    const asked = ['a', 'b', 'c', 'b', 'b'].map((key) => queue.add(request(key)));
    for (let batch = 0; batch < 3; batch++) await runner.finish();
    expect(runner.keys).toEqual(['a', 'b', 'c']);
    expect((await Promise.all(asked)).map(([logits]) => logits![0])).toEqual([1, 3, 1, 3, 3]);
    expect(reports.map(({ requests, questions }) => [requests, questions])).toEqual([
      [1, 1],
      [3, 3],
      [1, 1],
    ]);
  });

  it('never gives a window that is worked on to a second runner', async () => {
    const [first, second] = [new HeldRunner(), new HeldRunner()];
    const { queue } = queueOf([first, second]);
    const asked = [queue.add(request('a')), queue.add(request('a')), queue.add(request('b'))];
    expect([first.keys, second.keys]).toEqual([['a'], ['b']]);
    await first.finish();
    // The window goes back to the runner that has its image half.
    expect([first.keys, second.keys]).toEqual([['a', 'a'], ['b']]);
    await Promise.all([first.finish(), second.finish(), ...asked]);
  });

  it('gives a runner its next window when the questions of the present one begin, and no further one', async () => {
    const runner = new HeldRunner();
    const { queue } = queueOf([runner]);
    const asked = ['a', 'b', 'c'].map((key) => queue.add(request(key)));
    runner.tell('encoding');
    expect(runner.keys).toEqual(['a']);
    asked.push(queue.add(request('b')));
    runner.tell('reasoning');
    runner.tell('reasoning');
    expect(runner.keys).toEqual(['a', 'b']);
    expect([queue.running, queue.length]).toEqual([2, 1]);
    await runner.finish();
    expect(runner.keys).toEqual(['a', 'b']);
    runner.tell('reasoning', 1);
    expect(runner.keys).toEqual(['a', 'b', 'c']);
    for (let batch = 0; batch < 2; batch++) await runner.finish();
    expect((await Promise.all(asked)).map(([logits]) => logits![0])).toEqual([1, 2, 1, 2]);
    expect(queue.running).toBe(0);
  });

  it('gives a new window to a runner that has nothing to do rather than to one that soon has not', async () => {
    const [first, second] = [new HeldRunner(), new HeldRunner()];
    const { queue } = queueOf([first, second]);
    const asked = [queue.add(request('a'))];
    first.tell('reasoning');
    asked.push(queue.add(request('b')), queue.add(request('c')));
    expect([first.keys, second.keys]).toEqual([['a', 'c'], ['b']]);
    await Promise.all([first.finish(), second.finish()]);
    await Promise.all([first.finish(), ...asked]);
  });

  it('puts no more questions into a batch than fit, except for one request that is larger', async () => {
    const runner = new HeldRunner();
    const { queue } = queueOf([runner], { maxQuestions: 4 });
    const asked = [1, 3, 3, 9, 2].map((questions) => queue.add(request('a', questions)));
    for (let batch = 0; batch < 4; batch++) await runner.finish();
    await Promise.all([...asked, runner.finish()]);
    expect(runner.batches.map(({ requests }) => requests.map(({ length }) => length))).toEqual([
      [1],
      [3],
      [3],
      [9],
      [2],
    ]);
  });

  it('refuses what does not fit into the queue, and says when to come again', async () => {
    const runner = new HeldRunner();
    const { queue } = queueOf([runner], { maxWaiting: 5 });
    const asked = Array.from({ length: 500 }, (_, i) => queue.add(request(String(i))));
    const settled = Promise.allSettled(asked);
    expect(queue.length).toBe(5);
    for (let batch = 0; batch < 6; batch++) await runner.finish();
    const answers = await settled;
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    expect(answers.at(-1)).toMatchObject({ reason: { message: 'busy for 6 s' } });
    expect([queue.length, queue.running]).toEqual([0, 0]);
  });

  it('lets go of an aborted request at once: out of the queue, or marked for the runner', async () => {
    const runner = new HeldRunner();
    const { queue } = queueOf([runner]);
    const [atWork, inQueue] = [new AbortController(), new AbortController()];
    const stays = queue.add(request('a'));
    const waits = queue.add(request('b', 1, inQueue.signal));
    await runner.finish();
    await stays;
    inQueue.abort(new Error('gone while it ran'));
    await expect(waits).rejects.toThrow('gone while it ran');
    expect(Atomics.load(runner.batches[1]!.cancelled, 0)).toBe(1);

    const queued = queue.add(request('c', 1, atWork.signal));
    atWork.abort(new Error('gone while it waited'));
    await expect(queued).rejects.toThrow('gone while it waited');
    expect(queue.length).toBe(0);
    await runner.finish();
    expect(runner.keys).toEqual(['a', 'b']);
    await expect(queue.add(request('d', 1, atWork.signal))).rejects.toThrow('gone while it waited');
  });

  it('reports the failure to every request of a batch, and continues', async () => {
    const failing: WindowRunner = { run: () => Promise.reject(new Error('out of memory')) };
    const queue = new WindowQueue([failing], { maxWaiting: 9, maxQuestions: 9 }, () => new Error('busy'));
    const asked = [queue.add(request('a')), queue.add(request('a')), queue.add(request('b'))];
    const answers = await Promise.allSettled(asked);
    expect(answers.map((answer) => (answer as PromiseRejectedResult).reason.message)).toEqual(
      Array.from({ length: 3 }, () => 'out of memory'),
    );
    expect([queue.length, queue.running]).toEqual([0, 0]);
  });
});
