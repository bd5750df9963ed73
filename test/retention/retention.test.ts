import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { retentionPolicy } from '../../src/background-work.ts';
import { readConfig } from '../../src/config.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { WORKSPACE_TABLES } from '../../src/database/scope.ts';
import { createLogger } from '../../src/logging.ts';
import { DueRepository } from '../../src/retention/due.repository.ts';
import { RetentionWorker } from '../../src/retention/retention-worker.ts';
import { dropLeftoverWindows } from '../../src/run/kept-windows.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';

const DAY_MS = 86_400_000;
let test: ServedApp;
let database: Database;
beforeAll(async () => {
  test = await openServedApp({}, async () => (database = await openTestDatabase()));
});
afterAll(() => test.close());

/** Deletes what is due in so many days. */
async function sweep(inDays: number, settings: Record<string, string>): Promise<number> {
  const store = new SegmentationRepository(database.forRuns);
  const worker = new RetentionWorker(
    {
      due: new DueRepository(database.forRuns),
      blobs: test.app.blobs,
      dropWindows: () => dropLeftoverWindows(test.app.blobs, store),
      logger: createLogger('silent'),
      now: () => new Date(Date.now() + inDays * DAY_MS),
    },
    retentionPolicy(readConfig(settings)),
  );
  return worker.sweep();
}

async function upload(): Promise<string> {
  const bytes = await readFile(SUBURB);
  const { data } = await test.ask(
    'mutation ($size: Float!) { createUpload(filename: "suburb.tif", sizeBytes: $size) { id url } }',
    { size: bytes.length },
  );
  const address = new URL(data.createUpload.url);
  const received = await fetch(`${test.url}${address.pathname}${address.search}`, { method: 'PUT', body: bytes });
  expect(received.ok).toBe(true);
  const registered = await test.ask('mutation ($id: ID!) { registerScene(input: { uploadId: $id }) { id } }', {
    id: data.createUpload.id,
  });
  expect(registered.error).toBeNull();
  return registered.data.registerScene.id;
}

async function segment(sceneId: string, prompts: readonly string[]): Promise<string[]> {
  const { data } = await test.ask('mutation ($input: SegmentInput!) { segment(input: $input) { id state } }', {
    input: { sceneId, prompts, waitS: 60 },
  });
  expect(data.segment.map(({ state }) => state)).toEqual(prompts.map(() => 'SUCCEEDED'));
  return data.segment.map(({ id }) => id);
}

/** A client that keeps identifiers of features, and asks what changed since it last did. */
class Client {
  /** Segmentation of each feature. */
  readonly features = new Map<string, string>();
  readonly told: string[] = [];
  private cursor: string | null = null;
  private updatedAt = new Date(0).toISOString();

  async synchronise(): Promise<void> {
    if (this.cursor === null) this.cursor = (await deletedSince({})).cursor;
    for (let more = true; more;) {
      const page = await deletedSince({ after: this.cursor, first: 1 });
      page.nodes.forEach((deletion) => this.forget(deletion));
      this.cursor = page.cursor;
      more = page.hasNextPage;
    }
    const { data } = await test.ask(
      `query ($since: DateTime!) { features(filter: { updated: { from: $since } }, orderBy: { by: CREATED, direction: ASC }, first: 1000) {
        nodes { id updatedAt segmentation { id } } } }`,
      { since: this.updatedAt },
    );
    for (const { id, updatedAt, segmentation } of data.features.nodes) {
      this.features.set(id, segmentation.id);
      if (updatedAt > this.updatedAt) this.updatedAt = updatedAt;
    }
  }

  private forget({ kind, id, segmentationId }: Told): void {
    this.told.push(`${kind} ${id}`);
    for (const [feature, owner] of this.features) {
      if (kind === 'FEATURE' ? feature === id : owner === segmentationId) this.features.delete(feature);
    }
  }
}

const Told = z.object({ kind: z.string(), id: z.string(), sceneId: z.string(), segmentationId: z.string().nullable() });
type Told = z.infer<typeof Told>;
const Page = z.object({ nodes: z.array(Told), cursor: z.string(), hasNextPage: z.boolean() });

async function deletedSince(variables: Record<string, unknown>): Promise<z.infer<typeof Page>> {
  const { data, error } = await test.ask(DELETED, variables);
  expect(error).toBeNull();
  return Page.parse((data as unknown as Record<string, unknown>)['deletedSince']);
}
const DELETED = `query ($time: DateTime, $after: String, $first: Int = 1000) {
  deletedSince(time: $time, after: $after, first: $first) { nodes { kind id sceneId segmentationId at } cursor hasNextPage } }`;

async function storedFeatures(): Promise<string[]> {
  const rows = await database.prisma.feature.findMany({ select: { id: true } });
  return rows.map(({ id }) => id).toSorted();
}

const copiesOnDisk = async (): Promise<string[]> =>
  readdir(path.join(test.root, 'data', 'blobs', 'scenes')).catch(() => []);

describe('a scene from upload to deletion, seen by a client that synchronises', () => {
  const client = new Client();
  /** Deletions are told when all that began before them on the server has ended, other test files included. */
  const told = <T>(read: () => T) =>
    expect.poll(() => client.synchronise().then(read), { timeout: 60_000, interval: 200 });
  let scene: string;
  let answers: string[];
  beforeAll(async () => {
    await client.synchronise();
    scene = await upload();
    answers = await segment(scene, ['bright', 'dark']);
  });

  it('is found', async () => {
    await client.synchronise();
    expect(client.features.size).toBeGreaterThan(2);
    expect([...client.features.keys()].toSorted()).toEqual(await storedFeatures());
    expect(await copiesOnDisk()).toHaveLength(1);
    expect(await sweep(0, { TERRAQL_KEEP_ANSWERS_DAYS: '1', TERRAQL_KEEP_IMAGES_DAYS: '1' })).toBe(0);
  });

  it('loses a single feature, which is told by itself', async () => {
    const feature = [...client.features].find(([, owner]) => owner === answers[0])![0];
    await database.execute(Prisma.sql`DELETE FROM feature WHERE id = ${feature}::uuid`);
    await told(() => client.told).toEqual([`FEATURE ${feature}`]);
    expect([...client.features.keys()].toSorted()).toEqual(await storedFeatures());
  });

  it('loses its image and keeps its answers', async () => {
    expect(await sweep(31, { TERRAQL_KEEP_IMAGES_DAYS: '30' })).toBe(1);
    expect(await copiesOnDisk()).toEqual([]);
    const { data } = await test.ask('query ($id: ID!) { scene(id: $id) { imageDeletedAt } }', { id: scene });
    expect(data.scene).toEqual({ imageDeletedAt: expect.any(String) as string });
    const [answer] = answers;
    expect((await fetch(`${test.url}/segmentations/${answer}/mask.png`)).status).toBe(200);
    const overlay = await fetch(`${test.url}/segmentations/${answer}/overlay.png`);
    expect(await overlay.json()).toMatchObject({ error: { code: 'IMAGE_DELETED' } });
    expect(overlay.status).toBe(410);
    const asked = await test.ask(
      'mutation ($input: SegmentInput!) { segment(input: $input) { state failure { code } } }',
      {
        input: { sceneId: scene, prompts: ['bright'], force: true, waitS: 60 },
      },
    );
    expect(asked.error?.code).toBe('IMAGE_DELETED');
  });

  it('loses an answer by hand, and the others when they are due', async () => {
    const [first, second] = answers;
    await test.ask('mutation ($id: ID!) { deleteSegmentation(id: $id) }', { id: first });
    await told(() => client.told.at(-1)).toBe(`SEGMENTATION ${first}`);
    expect(await sweep(8, { TERRAQL_KEEP_ANSWERS_DAYS: '7' })).toBe(1);
    await told(() => client.told.at(-1)).toBe(`SEGMENTATION ${second}`);
    expect(client.features.size).toBe(0);
  });

  it('goes itself when its own time is over, with what was found since, and leaves nothing', async () => {
    const other = await upload();
    const [answer] = await segment(other, ['bright']);
    const until = new Date(Date.now() + 10 * DAY_MS).toISOString();
    const keep = 'mutation ($id: ID!, $until: DateTime) { keepScene(id: $id, until: $until) { keepUntil } }';
    for (const id of [scene, other]) {
      expect((await test.ask(keep, { id, until })).data).toEqual({ keepScene: { keepUntil: until } });
    }
    expect((await test.ask(keep, { id: scene, until: '2020-01-01T00:00:00Z' })).error?.code).toBe(
      'SCENE_INPUT_INVALID',
    );
    expect(await sweep(9, { TERRAQL_KEEP_SCENES_DAYS: '5' })).toBe(0);
    await test.app.blobs.write('runs/00000000-0000-4000-8000-000000000000/0', emptyFile(), 0);
    expect(await sweep(11, {})).toBe(2);
    await told(() => client.told.slice(-3).toSorted()).toEqual(
      [`SCENE ${scene}`, `SCENE ${other}`, `SEGMENTATION ${answer}`].toSorted(),
    );
    expect(await copiesOnDisk()).toEqual([]);
    expect(await test.app.blobs.list('runs')).toEqual([]);
    const rows = await database.query(
      z.object({ table: z.string(), rows: z.number() }),
      Prisma.join(
        WORKSPACE_TABLES.map((table) =>
          Prisma.raw(`SELECT '${table}' AS table, count(*)::float8 AS rows FROM ${table}`),
        ),
        ' UNION ALL ',
      ),
    );
    // What happened, what went, and keys of requests, which have times of their own.
    const left = rows.filter(({ rows: count }) => count > 0).map(({ table }) => table);
    expect(left.toSorted()).toEqual(['deletion', 'event']);
  });

  it('is told to those who ask by time, and no longer once that is forgotten', async () => {
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const { nodes, cursor } = await deletedSince({ time: hourAgo });
    expect(nodes.map(({ kind, id }) => `${kind} ${id}`)).toEqual(client.told);
    expect((await deletedSince({ after: cursor })).nodes).toEqual([]);
    const error = async (variables: object) => (await test.ask(DELETED, { ...variables })).error?.code;
    expect(await error({ time: '2020-01-01T00:00:00Z' })).toBe('DELETIONS_FORGOTTEN');
    expect(await error({ after: `999999999-0-${Date.now()}` })).toBe('DELETIONS_FORGOTTEN');
    expect(await error({ after: 'x' })).toBe('INVALID_CURSOR');
    expect(await error({ after: cursor, time: hourAgo })).toBe('BAD_USER_INPUT');
    await sweep(92, {});
    expect((await deletedSince({ time: hourAgo })).nodes).toEqual([]);
  });
});

async function* emptyFile(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(0);
}

it('images of paths are nobody’s to delete', async () => {
  const { sceneId } = await test.segment(['bright']);
  expect(await sweep(1000, { TERRAQL_KEEP_IMAGES_DAYS: '1' })).toBe(0);
  expect(await sweep(1000, { TERRAQL_KEEP_SCENES_DAYS: '1' })).toBe(1);
  expect((await test.ask('query ($id: ID!) { scene(id: $id) { id } }', { id: sceneId })).data.scene).toBeNull();
  expect((await stat(SUBURB)).isFile()).toBe(true);
});
