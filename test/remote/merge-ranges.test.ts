import { describe, expect, it } from 'vitest';
import { mergeRanges } from '../../src/remote/range-source.ts';
import { Turns } from '../../src/remote/turns.ts';

describe('ranges', () => {
  it('are joined where they lie near', () => {
    const far = 10_000_000;
    expect(
      mergeRanges([
        { start: far, end: far + 5 },
        { start: 20, end: 30 },
        { start: 0, end: 10 },
        { start: 5, end: 8 },
      ]),
    ).toEqual([
      { start: 0, end: 30 },
      { start: far, end: far + 5 },
    ]);
  });

  it('are asked for by so many at once and no more', async () => {
    const turns = new Turns(2);
    const never = new AbortController().signal;
    let [running, most] = [0, 0];
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (most < 0) throw new Error('unreachable');
    };
    const failing = turns.take(() => Promise.reject(new Error('failed')), never);
    await expect(failing).rejects.toThrow('failed');
    await Promise.all(Array.from({ length: 9 }, () => turns.take(work, never)));
    expect([running, most]).toEqual([0, 2]);
  });
});
