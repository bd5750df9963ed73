import { request } from 'node:http';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { BUCKET, hasMoto, MotoServer } from '../bucket/moto-server.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { temporaryFolder } from '../inference/model-folder.ts';
import { type Running, startScript } from './processes.ts';
import { writeBlocks } from './seeded-scene.ts';
import { urlOf } from './workers.ts';

const SCRIPT = path.resolve(import.meta.dirname, 'app-process.ts');
const WAIT = { timeout: 120_000, interval: 200 };
const WINDOWS = 16;
const PAUSE_MS = 150;

const server = process.env['DATABASE_URL'];
if (!server) console.warn('skipped: processes share a PostgreSQL server alone; set DATABASE_URL to one');

type Data = Readonly<Record<string, never>>;

describe.skipIf(!server || !hasMoto)(
  'two servers and two workers that share a database and a bucket, but no folder',
  () => {
    let moto: MotoServer;
    let database: Database;
    let root = '';
    let serving: Running[] = [];
    const working: Running[] = [];
    let number = 0;

    const start = async (worker: 'on' | 'off'): Promise<Running> => {
      const own = path.join(root, String(number++));
      return startScript(SCRIPT, [String(PAUSE_MS)], {
        DATABASE_URL: await urlOf(database),
        TERRAQL_DATA_DIR: own,
        TERRAQL_SCENE_ROOTS: own,
        TERRAQL_BLOBS: `s3://${BUCKET}/terraql`,
        TERRAQL_S3_ENDPOINT: moto.endpoint,
        TERRAQL_PORT: '0',
        TERRAQL_WORKER: worker,
        TERRAQL_NEAR_M: '0',
      });
    };
    const url = (index: number): string => serving[index]!.started['url'] as string;
    async function ask<T extends object = Data>(index: number, query: string, variables: object = {}): Promise<T> {
      const response = await fetch(`${url(index)}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
      if (errors) throw new Error(errors[0]!.message);
      return data;
    }
    async function announce(filename: string, sizeBytes: number): Promise<{ id: string; url: string }> {
      const { createUpload } = await ask<{ createUpload: { id: string; url: string } }>(
        0,
        'mutation($filename: String!, $sizeBytes: Float!) { createUpload(filename: $filename, sizeBytes: $sizeBytes) { id url } }',
        { filename, sizeBytes },
      );
      return createUpload;
    }
    async function upload(filename: string, bytes: Uint8Array): Promise<string> {
      const { id, url: given } = await announce(filename, bytes.length);
      const { pathname, search } = new URL(given);
      const put = await fetch(url(1) + pathname + search, { method: 'PUT', body: new Uint8Array(bytes) });
      expect(put.status).toBe(204);
      const { registerScene } = await ask<{ registerScene: { id: string } }>(
        0,
        'mutation($uploadId: ID!) { registerScene(input: { uploadId: $uploadId }) { id } }',
        { uploadId: id },
      );
      return registerScene.id;
    }
    const askAnew = async (sceneId: string): Promise<string> => {
      const input = { sceneId, prompts: ['bright'], scale: 'WINDOWS', force: true };
      const asked = await ask<{ segment: { id: string }[] }>(
        1,
        'mutation($input: SegmentInput!) { segment(input: $input) { id } }',
        { input },
      );
      return asked.segment[0]!.id;
    };
    interface State {
      readonly state: string;
      readonly progress: { readonly windowsDone: number };
    }
    const stateOf = async (id: string): Promise<State> =>
      (
        await ask<{ segmentation: State }>(
          0,
          'query($id: ID!) { segmentation(id: $id) { state progress { windowsDone } } }',
          { id },
        )
      ).segmentation;
    const finished = (id: string) => expect.poll(async () => (await stateOf(id)).state, WAIT).toBe('SUCCEEDED');
    const featuresOf = async (id: string): Promise<string[]> => {
      const query = `query($id: ID!) { segmentation(id: $id) { features { nodes { pixelCount geometry } } } }`;
      const found = await ask<{ segmentation: { features: { nodes: object[] } } }>(1, query, { id });
      return found.segmentation.features.nodes.map((node) => JSON.stringify(node)).toSorted();
    };
    const windows = (): number => working.reduce((sum, each) => sum + each.count('window'), 0);

    beforeAll(async () => {
      root = await temporaryFolder();
      [moto, database] = await Promise.all([MotoServer.start(), openTestDatabase()]);
      serving = await Promise.all([start('off'), start('off')]);
      working.push(...(await Promise.all([start('on'), start('on')])));
    }, 120_000);
    afterAll(async () => {
      await Promise.all([...serving, ...working].map((each) => each.end('SIGKILL')));
      await database?.close();
      moto?.close();
      await rm(root, { recursive: true, force: true });
    });

    it('go on with what killed workers leave at the window that they had come to', async () => {
      const file = path.join(root, 'blocks.tif');
      await writeBlocks(file, 208, 7);
      const scene = await upload('blocks.tif', await readFile(file));
      const undisturbed = await askAnew(scene);
      await finished(undisturbed);
      expect(windows()).toBe(WINDOWS);

      const disturbed = await askAnew(scene);
      await expect.poll(async () => (await stateOf(disturbed)).progress.windowsDone, WAIT).toBeGreaterThan(4);
      const before = await Promise.all(working.map((worker) => worker.end('SIGKILL')));
      expect(before).toHaveLength(2);
      working.push(...(await Promise.all([start('on'), start('on')])));
      await finished(disturbed);
      expect(await featuresOf(disturbed)).toEqual(await featuresOf(undisturbed));
      // At most the window under way is asked about again, and one whose answer was on its way to the bucket.
      expect(windows()).toBeLessThanOrEqual(2 * WINDOWS + 2);
      expect(working.slice(2).reduce((sum, each) => sum + each.count('window'), 0)).toBeLessThan(WINDOWS - 2);
      await expect.poll(() => moto.keys('terraql/runs/'), WAIT).toEqual([]);
    }, 300_000);

    it('show a picture of a format that is not read by range', async () => {
      const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'white' } })
        .png()
        .toBuffer();
      const id = await askAnew(await upload('white.png', png));
      await finished(id);
      expect(await featuresOf(id)).toHaveLength(1);
    }, 300_000);

    it('offer stored files, whole and by range, whichever made them', async () => {
      const created = await ask<{ createExport: { id: string } }>(
        0,
        'mutation { createExport(input: { format: GEOJSON }) { id } }',
      );
      const query = 'query($id: ID!) { export(id: $id) { state url sizeBytes } }';
      type Made = { export: { state: string; url: string; sizeBytes: number } };
      const made = (): Promise<Made> => ask<Made>(1, query, { id: created.createExport.id });
      await expect.poll(async () => (await made()).export.state, WAIT).toBe('SUCCEEDED');
      const { export: node } = await made();
      for (const index of [0, 1]) {
        const address = url(index) + new URL(node.url).pathname + new URL(node.url).search;
        const whole = Buffer.from(await (await fetch(address)).arrayBuffer());
        expect(whole).toHaveLength(node.sizeBytes);
        expect(JSON.parse(whole.toString())).toMatchObject({ type: 'FeatureCollection' });
        const part = await fetch(address, { headers: { range: 'bytes=10-29' } });
        expect(part.status).toBe(206);
        expect(whole.subarray(10, 30).equals(Buffer.from(await part.arrayBuffer()))).toBe(true);
      }
    }, 300_000);

    it('take an upload again that a killed server was receiving', async () => {
      const bytes = new Uint8Array(20 * 2 ** 20);
      const { id, url: given } = await announce('cut.tif', bytes.length);
      const { pathname, search } = new URL(given);
      const cut = request(url(1) + pathname + search, { method: 'PUT', headers: { 'content-length': bytes.length } });
      cut.on('error', () => undefined);
      cut.write(bytes.subarray(0, 18 * 2 ** 20));
      await expect.poll(() => moto.unfinished(), WAIT).toBe(1);
      await serving[1]!.end('SIGKILL');
      let status = 0;
      for (let attempt = 0; status !== 204 && attempt < 20; attempt++) {
        status = (await fetch(url(0) + pathname + search, { method: 'PUT', body: bytes })).status;
        await sleep(1000);
      }
      expect(status).toBe(204);
      expect(await moto.keys(`terraql/uploads/${id}`)).toEqual([
        `terraql/uploads/${id}/content`,
        `terraql/uploads/${id}/received`,
        `terraql/uploads/${id}/ticket`,
      ]);
    }, 300_000);
  },
);
