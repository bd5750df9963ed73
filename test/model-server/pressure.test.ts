import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { binaryRequest, inputsOf, noiseWindow } from './inference-request.ts';
import { MODEL_PATH, type ServedModels, serveModels } from './served-models.ts';

describe('a model server with more requests than it can answer', { timeout: 180_000 }, () => {
  let served: ServedModels;
  afterEach(() => served.close());

  const requestFor = (seed: number) => {
    const { manifest } = served.model;
    const question = { task: 'REFERRING', ids: [5, manifest.segTokenId] } as const;
    return binaryRequest(inputsOf(manifest, noiseWindow(manifest, seed), [question]));
  };
  const infer = (init: RequestInit) => fetch(`${served.url}${MODEL_PATH}/infer`, init);
  const metric = async (line: string): Promise<number> => {
    const text = await (await fetch(`${served.url}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((candidate) => candidate.startsWith(line))
        ?.split(' ')
        .at(-1),
    );
  };

  it('reads no body that it has no room for', async () => {
    served = await serveModels({ maxRequests: 1 });
    const { hostname, port } = new URL(served.url);
    const slow = httpRequest({
      hostname,
      port,
      method: 'POST',
      path: `${MODEL_PATH}/infer`,
      headers: { 'content-length': 100 },
    });
    slow.on('error', () => undefined);
    slow.write('{');
    await once(served.server, 'request');
    expect((await infer(requestFor(1))).status).toBe(429);
    slow.destroy();
    await expect.poll(async () => (await infer(requestFor(1))).status, { timeout: 30_000 }).toBe(200);
  });

  it('answers questions on one window that wait together in one batch', async () => {
    served = await serveModels();
    const [other, same] = [requestFor(1), requestFor(2)];
    const answers = await Promise.all([infer(other), ...Array.from({ length: 8 }, () => infer(same))]);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 200));
    const labels = '{model="segearth-r1-compact/1"}';
    expect(await metric(`terraql_model_batch_questions_sum${labels}`)).toBe(9);
    // All eight, or those that had arrived when the first window was done and the few after.
    expect(await metric(`terraql_model_batch_questions_count${labels}`)).toBeLessThanOrEqual(4);
    expect(await metric(`terraql_model_image_cache_misses_total${labels}`)).toBe(2);
  });

  it('drops a request whose client goes away inside the window, and serves the next', async () => {
    served = await serveModels();
    const gone = new AbortController();
    const leaving = infer({ ...requestFor(1), signal: gone.signal });
    await expect.poll(() => served.model.stats.running, { interval: 1, timeout: 30_000 }).toBe(1);
    gone.abort();
    await expect(leaving).rejects.toThrow('aborted');
    expect((await infer(requestFor(2))).status).toBe(200);
    expect(await metric('terraql_model_requests_total{model="segearth-r1-compact/1",status="499"}')).toBe(1);
  });

  it('is not ready while its model is gone, says so, and loads it again when asked', async () => {
    served = await serveModels();
    await served.model['threads'][0]!['worker'].terminate();
    expect((await fetch(`${served.url}/v2/health/ready`)).status).toBe(503);
    expect((await fetch(`${served.url}/v2/health/live`)).status).toBe(200);
    const response = await infer(requestFor(1));
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    await expect.poll(async () => (await fetch(`${served.url}/v2/health/ready`)).status, { timeout: 60_000 }).toBe(200);
    expect((await infer(requestFor(1))).status).toBe(200);
  });
});
