import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ModelInfo,
  ModelCrashedError,
  ModelLateError,
  ModelRejectedError,
  ModelUnavailableError,
} from '../../src/inference/segmentation-model.ts';
import { isOutage, ModelCircuits } from '../../src/run/model-circuits.ts';

const ID = 'small/1';
const away = (retryAfterS: number | null = null) => new ModelUnavailableError(ID, 'connection refused', retryAfterS);

let circuits: ModelCircuits;
let sent: number;
beforeEach(() => {
  vi.useFakeTimers();
  circuits = new ModelCircuits();
  sent = 0;
});
afterEach(() => void vi.useRealTimers());

/** Sends a request that fails with the error, or succeeds. @returns what came of it */
const send = (error: Error | null, id = ID): Promise<unknown> =>
  circuits
    .send(id, async () => {
      sent += 1;
      if (error) throw error;
      return 'answer';
    })
    .catch((thrown: unknown) => thrown);

describe('ModelCircuits', () => {
  it('sends nothing for a while after an outage and says why, then tries once whether the model is back', async () => {
    const outage = away();
    expect(await send(outage)).toBe(outage);
    expect(circuits.delayS(ID)).toBeGreaterThan(0);
    expect(await send(null)).toBe(outage);
    expect(sent).toBe(1);
    vi.advanceTimersByTime(circuits.delayS(ID) * 1000 + 1);
    expect(circuits.delayS(ID)).toBe(0);
    expect(await send(null)).toBe('answer');
    expect(await send(null)).toBe('answer');
    expect(sent).toBe(3);
  });

  it('waits longer after every try that fails, and half a minute at most', async () => {
    const pauses: number[] = [];
    for (let outage = 0; outage < 20; outage++) {
      await send(away());
      pauses.push(circuits.delayS(ID));
      vi.advanceTimersByTime(circuits.delayS(ID) * 1000 + 1);
    }
    expect(sent).toBe(20);
    expect(pauses[0]).toBeLessThan(5);
    expect(Math.max(...pauses)).toBeGreaterThan(10);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(30);
  });

  it.each([
    [7, 7],
    [0.1, 1],
    [3600, 30],
  ])('waits as long as a model asks for that says to come again in %d s: %d s', async (asked, pauseS) => {
    await send(away(asked));
    expect(circuits.delayS(ID)).toBe(pauseS);
    vi.advanceTimersByTime(pauseS * 1000 - 10);
    await send(null);
    expect(sent).toBe(1);
    vi.advanceTimersByTime(20);
    await send(null);
    expect(sent).toBe(2);
  });

  it('tells those whose request it does not send of a late answer as of an outage', async () => {
    const late = new ModelLateError(ID, 'no answer in 5 s');
    expect(await send(late)).toBe(late);
    const told = await send(null);
    expect(told).not.toBeInstanceOf(ModelLateError);
    expect(told).toMatchObject({ code: 'MODEL_UNAVAILABLE', message: late.message });
  });

  it('counts what a model answers', async () => {
    const logits = [new Float32Array(1)];
    let failure: Error | null = null;
    const model = {
      info: { id: ID } as ModelInfo,
      async infer() {
        if (failure) throw failure;
        return logits;
      },
    };
    const infer = circuits.counted(model);
    expect(circuits.answers(ID)).toBe(0);
    expect(await infer(new Uint8Array(1), [])).toBe(logits);
    failure = new ModelRejectedError(ID, 'no such tensor');
    await expect(infer(new Uint8Array(1), [])).rejects.toBe(failure);
    await send(null);
    expect(circuits.answers(ID)).toBe(1);
  });

  it('holds no other model up', async () => {
    await send(away());
    expect(circuits.delayS('other/1')).toBe(0);
    expect(await send(null, 'other/1')).toBe('answer');
  });

  it.each([new ModelRejectedError(ID, 'no such tensor'), new ModelCrashedError(ID, 'killed'), new Error('disk full')])(
    'goes on after what is no outage: %s',
    async (error) => {
      expect(isOutage(error)).toBe(false);
      expect(await send(error)).toBe(error);
      expect(circuits.delayS(ID)).toBe(0);
      expect(await send(null)).toBe('answer');
    },
  );
});
