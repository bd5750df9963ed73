import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen, type Listening } from '../../src/http/listen.ts';
import { RunProgress } from '../../src/run/run-progress.ts';
import { RUN_PHASES } from '../../src/segmentation/segmentation.ts';
import { type DurableApp, openDurableApp } from './durable-app.ts';

const PROGRESS = `subscription($id: ID!) { segmentationProgress(id: $id) {
  state progress { phase windowsDone windowsTotal fraction etaS } mask { pixelCount pngUrl } scene { id } } }`;

interface Event {
  readonly state: string;
  readonly progress: {
    phase: string;
    windowsDone: number;
    windowsTotal: number;
    fraction: number;
    etaS: number | null;
  };
  readonly mask: { pixelCount: number; pngUrl: string } | null;
  readonly scene: { id: string };
}

let test: DurableApp;
let sceneId: string;
let listening: Listening;
beforeAll(async () => {
  test = await openDurableApp();
  sceneId = await test.register(208, 5);
  listening = await listen(createHttpServer(test.app), '127.0.0.1', 0);
}, 300_000);
afterAll(async () => {
  await listening.stop(0);
  await test.close();
});

const connect = () =>
  createClient({ url: `${listening.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });

/** Every event of a subscription until it ends. */
async function eventsOf(id: string): Promise<Event[]> {
  const client = connect();
  const events: Event[] = [];
  for await (const { data } of client.iterate<{ segmentationProgress: Event }>({
    query: PROGRESS,
    variables: { id },
  })) {
    if (data) events.push(data.segmentationProgress);
  }
  await client.dispose();
  return events;
}

describe('segmentationProgress over a WebSocket', () => {
  it('reports the progress of a run to several clients, and ends with the answer', async () => {
    test.model.pauseMs = 150;
    const started = performance.now();
    const id = await test.askAnew(sceneId);
    const [events, others] = await Promise.all([eventsOf(id), eventsOf(id)]);
    const seconds = (performance.now() - started) / 1000;
    const last = events.at(-1)!;
    expect(others.at(-1)).toEqual(last);
    expect(last).toMatchObject({
      state: 'SUCCEEDED',
      progress: { phase: 'done', windowsDone: 16, windowsTotal: 16, fraction: 1, etaS: null },
      scene: { id: sceneId },
    });
    expect(last.mask!.pixelCount).toBeGreaterThan(0);
    expect(last.mask!.pngUrl).toBe(`${listening.url}/segmentations/${id}/mask.png`);
    const done = events.map(({ progress }) => progress.windowsDone);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(new Set(done).size).toBeGreaterThan(3);
    expect(events.every(({ progress }) => RUN_PHASES.some((phase) => phase === progress.phase))).toBe(true);
    expect(events.some(({ progress }) => progress.etaS !== null && progress.etaS > 0)).toBe(true);
    // Two a second, and those of the changes of state.
    expect(events.length).toBeLessThan(2 * seconds + 5);
  }, 120_000);

  it('goes through every phase, and shows those of a long run', async () => {
    test.model.pauseMs = 900;
    const entered = vi.spyOn(RunProgress.prototype, 'enter');
    const id = await test.askAnew(sceneId);
    const shown = (await eventsOf(id)).map(({ progress }) => progress.phase);
    const phases = entered.mock.calls.map(([phase]) => phase);
    entered.mockRestore();
    const window = ['reading', 'encoding', 'reasoning'];
    expect(phases).toEqual([...Array.from({ length: 16 }, () => window).flat(), 'tracing', 'storing']);
    // A phase that is over in less than half a second is not always seen.
    expect(shown).toEqual(expect.arrayContaining(['encoding', 'reasoning', 'tracing', 'done']));
  }, 120_000);

  it('ends at once for what is final, and when the segmentation is deleted with its scene', async () => {
    test.model.pauseMs = 0;
    const doomed = await test.register(64, 9);
    let open = (): void => undefined;
    test.model.gate = new Promise((resolve) => (open = resolve));
    const id = await test.askAnew(doomed);
    await expect.poll(async () => (await test.segmentation(id)).state, { timeout: 30_000 }).toBe('RUNNING');
    const watched = eventsOf(id);
    const cancelled = await test.askAnew(sceneId);
    await test.services.segmentations.cancel(cancelled);
    expect(await eventsOf(cancelled)).toMatchObject([{ state: 'CANCELLED' }]);
    await test.services.scenes.delete(doomed);
    expect((await watched).every(({ state }) => state === 'RUNNING')).toBe(true);
    open();
  }, 120_000);

  it.each([
    [PROGRESS, { id: '01900000-0000-7000-8000-000000000000' }, 'SEGMENTATION_NOT_FOUND'],
    ['subscription($id: ID!) { segmentationProgress(id: $id) { colour } }', { id: 'x' }, 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription {', {}, 'GRAPHQL_PARSE_FAILED'],
    ['{ models { id } }', {}, 'NOT_SUBSCRIPTION'],
  ])('refuses %s', async (query, variables, code) => {
    const client = connect();
    const errors: unknown = await (async () => {
      for await (const { errors: found } of client.iterate({ query, variables })) return found;
      return null;
    })().catch((error: unknown) => error);
    await client.dispose();
    expect(errors).toMatchObject([{ extensions: { code } }]);
  });

  it('does not hold up a server that stops', async () => {
    test.model.gate = new Promise(() => undefined);
    const id = await test.askAnew(sceneId);
    const other = await listen(createHttpServer(test.app), '127.0.0.1', 0);
    const client = createClient({
      url: `${other.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const events = client.iterate({ query: PROGRESS, variables: { id } });
    await events.next();
    const started = performance.now();
    await other.stop(20_000);
    expect(performance.now() - started).toBeLessThan(10_000);
    await client.dispose();
    await test.services.segmentations.cancel(id);
  }, 60_000);
});
