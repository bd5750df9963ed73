import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { writeBlocks } from '../durability/seeded-scene.ts';
import type { Database } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { type Running, startScript } from '../durability/processes.ts';
import { urlOf } from '../durability/workers.ts';
import { temporaryFolder } from '../inference/model-folder.ts';
import { type ReceivedSpan, startCollector } from './collector.ts';

const SCRIPT = path.resolve(import.meta.dirname, 'traced-process.ts');
const START_MS = 120_000;
const CLIENT_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const Registered = z.object({ data: z.object({ registerScene: z.object({ id: z.string() }) }) });
const Segmented = z.object({
  data: z.object({ segment: z.array(z.object({ state: z.string() })) }),
  extensions: z.object({ traceId: z.string() }),
});

/** The span and all above it, up to the first of this process tree that was received. */
function ancestry(span: ReceivedSpan, spans: readonly ReceivedSpan[]): string[] {
  const above = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [span.name, ...(above ? ancestry(above, spans) : [])];
}

/** On a PostgreSQL server the worker is a process of its own; the embedded database belongs to one process. */
const isShared = process.env['DATABASE_URL'] !== undefined;

describe('a trace', () => {
  const running: Running[] = [];
  let collector: Awaited<ReturnType<typeof startCollector>>;
  let database: Database | null = null;
  let file = '';
  let url = '';
  beforeAll(async () => {
    collector = await startCollector();
    const folder = await temporaryFolder();
    file = path.join(folder, 'blocks.tif');
    await writeBlocks(file, 512, 1);
    if (isShared) database = await openTestDatabase();
    const environment = {
      TERRAQL_DATA_DIR: path.join(folder, 'data'),
      TERRAQL_SCENE_ROOTS: folder,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...(database ? { DATABASE_URL: await urlOf(database) } : {}),
    };
    const server = await startScript(SCRIPT, ['serve'], {
      ...environment,
      TERRAQL_WORKER: isShared ? 'off' : 'on',
    });
    running.push(server);
    url = String(server.started['url']);
    if (isShared) running.push(await startScript(SCRIPT, ['worker'], environment));
  }, START_MS);
  afterAll(async () => {
    for (const each of running) await each.end('SIGTERM');
    await collector.stop();
    await database?.close();
  });

  async function ask(query: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
  }

  it('leads from a request to every window that a worker of another process asks the model about', async () => {
    const registered = await ask(`mutation { registerScene(input: { path: ${JSON.stringify(file)} }) { id } }`);
    const { id } = Registered.parse(await registered.json()).data.registerScene;
    const answered = await ask(
      `mutation Find { segment(input: { sceneId: "${id}", prompts: ["bright"], scale: WINDOWS, waitS: 60 }) { state } }`,
      { traceparent: `00-${CLIENT_TRACE}-00f067aa0ba902b7-01` },
    );
    const body = Segmented.parse(await answered.json());
    expect(body.data.segment).toEqual([{ state: 'SUCCEEDED' }]);
    expect(body.extensions.traceId).toBe(CLIENT_TRACE);
    expect(answered.headers.get('traceresponse')).toMatch(new RegExp(`^00-${CLIENT_TRACE}-[0-9a-f]{16}-01$`));

    await vi.waitFor(() => expect(named('run')).toHaveLength(1), START_MS);
    await vi.waitFor(() => expect(named('POST /graphql')).toHaveLength(1), START_MS);
    expect(named('window').length).toBeGreaterThan(0);
    for (const model of named('model')) {
      expect(ancestry(model, collector.spans)).toEqual(['model', 'window', 'run', 'POST /graphql']);
    }
    expect(named('model')).toHaveLength(named('window').length);
    const [server, worker] = running.map(({ pid }) => pid);
    expect(named('POST /graphql')[0]!.pid).toBe(server);
    expect(named('window')[0]!.pid).toBe(isShared ? worker : server);
  });

  it('of its own is begun for a request that brings none', async () => {
    const answered = await ask('{ __typename }');
    expect(answered.headers.get('traceresponse')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(answered.headers.get('traceresponse')).not.toContain(CLIENT_TRACE);
  });

  const named = (name: string): ReceivedSpan[] =>
    collector.spans.filter((span) => span.name === name && span.traceId === CLIENT_TRACE);
});
