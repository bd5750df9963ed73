import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/inference/manifest.ts';
import { CUDA_LIBRARY } from '../inference/cuda-library.ts';
import { MODELS_DIR, temporaryFolder, testModel } from '../inference/model-folder.ts';
import { binaryRequest, inputsOf, noiseWindow } from './inference-request.ts';
import { MODEL_PATH } from './served-models.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');
const START_MS = 120_000;
const MIB = 1024 ** 2;

type Cli = ChildProcessByStdio<null, Readable, Readable>;

function modelServer(environment: NodeJS.ProcessEnv, words: readonly string[] = []): Cli {
  return spawn(process.execPath, ['--import', 'tsx', MAIN, 'model-server', '--port', '0', '--json', ...words], {
    env: { ...process.env, TERRAQL_MODELS_DIR: MODELS_DIR, TERRAQL_LOG_LEVEL: 'silent', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

describe('terraql model-server', () => {
  let server: Cli;
  let url = '';
  let manifest: Manifest;
  beforeAll(async () => {
    ({ manifest } = await testModel());
    server = modelServer({ TERRAQL_MODEL_QUEUE: '7' });
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const started = JSON.parse(line.toString()) as { url: string; models: string[] };
    expect(started).toMatchObject({ pid: server.pid, models: ['segearth-r1-compact/1'] });
    ({ url } = started);
  }, START_MS);
  afterAll(() => void server.kill('SIGKILL'));

  const residentMib = async (): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]) / MIB;
  };

  it('holds a fraction of the requests that are sent at once, and tells the others when to come again', async () => {
    const question = { task: 'REFERRING', ids: [5, manifest.segTokenId] } as const;
    const request = binaryRequest(inputsOf(manifest, noiseWindow(manifest, 1), [question]));
    const infer = async (): Promise<{ status: number; retryAfter: string | null }> => {
      const response = await fetch(`${url}${MODEL_PATH}/infer`, request);
      await response.arrayBuffer();
      return { status: response.status, retryAfter: response.headers.get('retry-after') };
    };
    const volley = (count: number) => Promise.all(Array.from({ length: count }, infer));
    expect((await infer()).status).toBe(200);
    // The first volley fills the heap and the buffers of sockets; what grows after it is what a request leaves behind.
    await volley(500);
    const before = await residentMib();
    const answers = await volley(1000);
    const sentMib = (answers.length * request.body.byteLength) / MIB;
    expect(sentMib).toBeGreaterThan(150);
    expect((await residentMib()) - before).toBeLessThan(sentMib / 4);
    const refused = answers.filter(({ status }) => status === 429);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(refused.length).toBeGreaterThan(500);
    expect(refused.every(({ retryAfter }) => Number(retryAfter) >= 1)).toBe(true);
    expect((await infer()).status).toBe(200);
  }, 300_000);

  it('ends when it is asked to', async () => {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it(
    'does not serve a folder without models',
    async () => {
      const failing = modelServer({ TERRAQL_MODELS_DIR: await temporaryFolder() });
      const [errors, [code]] = await Promise.all([failing.stderr.toArray(), once(failing, 'exit')]);
      expect(code).toBe(1);
      expect(Buffer.concat(errors as Buffer[]).toString()).toContain(
        'The model folder (TERRAQL_MODELS_DIR) has no model.',
      );
    },
    START_MS,
  );

  it.skipIf(existsSync(CUDA_LIBRARY))(
    'does not start where its execution provider cannot, and says what to do',
    async () => {
      const failing = modelServer({ TERRAQL_EXECUTION_PROVIDER: 'cuda' });
      const [errors, [code]] = await Promise.all([failing.stderr.toArray(), once(failing, 'exit')]);
      expect(code).toBe(1);
      expect(Buffer.concat(errors as Buffer[]).toString()).toMatch(
        /^terraql: Execution provider cuda cannot be used: .*npm rebuild onnxruntime-node/m,
      );
    },
    START_MS,
  );
});
