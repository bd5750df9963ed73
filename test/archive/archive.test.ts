import { copyFile, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readArchive } from '../../src/archive/read-archive.ts';
import { archivedTables } from '../../src/archive/tables.ts';
import { writeArchive } from '../../src/archive/write-archive.ts';
import { FolderBlobStore } from '../../src/blob-store.ts';
import type { Database } from '../../src/database/database.ts';
import { openEmbeddedDatabase, openTestDatabase } from '../database/test-database.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';

const quiet = (): void => undefined;
let folder: string;
let file: string;
let test: ServedApp;
let source: Database;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-archive-'));
  file = path.join(folder, 'all.tar');
  test = await openServedApp({ TERRAQL_WORKER: 'on' }, async () => (source = await openEmbeddedDatabase()));
  await fill();
  await writeArchive({ asOwner: source.asOwner, blobs: test.app.blobs }, file, quiet);
});
afterAll(async () => {
  await test.close();
  await rm(folder, { recursive: true, force: true });
});

/** A scene of an upload with answers, a review, a view, a webhook, a job, a stored file and a key. */
async function fill(): Promise<void> {
  const bytes = await readFile(SUBURB);
  const { data } = await test.ask(
    `mutation { createUpload(filename: "s.tif", sizeBytes: ${bytes.length}) { id url } }`,
  );
  const { pathname, search } = new URL(data.createUpload.url);
  await fetch(`${test.url}${pathname}${search}`, { method: 'PUT', body: bytes });
  const registered = await test.ask('mutation ($id: ID!) { registerScene(input: { uploadId: $id }) { id } }', {
    id: data.createUpload.id,
  });
  const asked = await test.ask(
    'mutation ($input: SegmentInput!) { segment(input: $input) { id state features(first: 5) { nodes { id } } } }',
    { input: { sceneId: registered.data.registerScene.id, prompts: ['bright', 'dark "quoted" \\ ü 🛰'], waitS: 60 } },
  );
  const [feature] = asked.data.segment[0]!.features.nodes;
  const more = [
    `reviewFeatures(ids: ["${feature!.id}"], status: ACCEPTED, label: "roof") { id }`,
    'createView(input: { name: "Large", filter: { areaM2: { min: 10 } } }) { slug }',
    'createApiKey(input: { name: "reader" }) { secret }',
    'createExport(input: { format: GEOJSON }) { id }',
  ];
  for (const mutation of more) {
    const { error } = await test.ask(`mutation { ${mutation} }`);
    if (error) throw new Error(`${mutation}: ${error.message}`);
  }
  const done = "SELECT 1 FROM export WHERE state = 'SUCCEEDED'";
  await vi.waitFor(async () => expect(await source.asOwner((query) => query(done))).toHaveLength(1), {
    timeout: 20_000,
    interval: 100,
  });
  await test.app.stopRuns();
}

/** Every row of every table as text, without the numbers of transactions, which are those of a server. */
function contents(database: Database): Promise<Record<string, string[]>> {
  return database.asOwner(async (query) => {
    const all: Record<string, string[]> = {};
    for (const { name, columns } of await archivedTables(query)) {
      const kept = columns.filter(({ type }) => type !== 'xid8').map((column) => `"${column.name}"::text`);
      const rows = (await query(
        `SELECT row_to_json(r)::text AS line FROM (SELECT ${kept.join(', ')} FROM ${name}) AS r`,
      )) as {
        line: string;
      }[];
      all[name] = rows.map(({ line }) => line).toSorted();
    }
    return all;
  });
}

describe('an archive', () => {
  it('brings everything to another engine and back, and what comes is used as before', async () => {
    const before = await contents(source);
    for (const table of [
      'scene',
      'mask',
      'feature',
      'feature_adjacency',
      'review',
      'view',
      'api_key',
      'export',
      'event',
    ]) {
      expect(before[table]!.length, table).toBeGreaterThan(0);
    }
    const second = await openTestDatabase();
    const blobs = new FolderBlobStore(path.join(folder, 'second'));
    try {
      const told: number[] = [];
      const manifest = await readArchive({ asOwner: second.asOwner, blobs }, file, (fraction) => told.push(fraction));
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(manifest.rows['feature']).toBe(before['feature']!.length);
      expect(await contents(second)).toEqual(before);
      const again = path.join(folder, 'again.tar');
      await writeArchive({ asOwner: second.asOwner, blobs }, again, quiet);
      let database: Database | undefined;
      const third = await openServedApp({}, async () => (database = await openEmbeddedDatabase()));
      try {
        await readArchive({ asOwner: database!.asOwner, blobs: third.app.blobs }, again, quiet);
        await usedAsBefore(third);
      } finally {
        await third.close();
      }
    } finally {
      await blobs.close();
      await second.close();
    }
  });
});

describe('an archive is refused', () => {
  let target: Database;
  let blobs: FolderBlobStore;
  beforeAll(async () => {
    target = await openTestDatabase();
    blobs = new FolderBlobStore(path.join(folder, 'refused'));
  });
  afterAll(() => target.close());

  const importing = async (from: string): Promise<unknown> =>
    readArchive({ asOwner: target.asOwner, blobs }, from, quiet).then(
      () => null,
      (error: unknown) => error,
    );
  async function changed(change: (copy: string, size: number) => Promise<void>): Promise<string> {
    const copy = path.join(folder, 'changed.tar');
    await copyFile(file, copy);
    await change(copy, (await stat(copy)).size);
    return copy;
  }

  it.each([
    ['with another byte in a file', (copy: string, size: number) => overwrite(copy, Math.round(size * 0.7), 'x')],
    ['with another byte in the rows', (copy: string) => overwrite(copy, 600, 'xxxx')],
    ['that is cut off', (copy: string, size: number) => truncate(copy, size - 5000)],
    ['that is cut off between two entries', (copy: string) => truncate(copy, 512)],
    ['that is empty', (copy: string) => truncate(copy, 0)],
    ['that is something else', (copy: string) => writeFile(copy, 'GIF89a'.repeat(1000))],
  ])('%s', async (_name, change) => {
    expect(await importing(await changed(change))).toMatchObject({ code: 'ARCHIVE_DAMAGED' });
  });

  it('of another schema', async () => {
    await target.asOwner((query) => query("INSERT INTO terraql_migration (name, checksum) VALUES ('9999_later', '')"));
    expect(await importing(file)).toMatchObject({
      code: 'ARCHIVE_VERSION',
      message: expect.stringContaining('9999_later') as string,
    });
    await target.asOwner((query) => query("DELETE FROM terraql_migration WHERE name = '9999_later'"));
  });

  it('where something is stored already, and leaves that as it is', async () => {
    await target.asOwner((query) => query("INSERT INTO workspace (id, name) VALUES ('other', 'Other')"));
    expect(await importing(file)).toMatchObject({ code: 'ARCHIVE_TARGET_NOT_EMPTY' });
    const left = await contents(target);
    expect(Object.keys(left).filter((table) => left[table]!.length > 0)).toEqual(['workspace']);
    expect(await blobs.list('scenes')).toEqual([]);
  });
});

async function overwrite(copy: string, at: number, text: string): Promise<void> {
  const handle = await open(copy, 'r+');
  await handle.write(text, at);
  await handle.close();
}

async function usedAsBefore(app: ServedApp): Promise<void> {
  const QUESTION = `{ features(filter: { label: "roof" }) { nodes { id areaM2 updatedAt geometry neighbours { totalCount } } }
    scenes { nodes { id } } segmentations { nodes { id prompt featureCount } } views { slug } }`;
  const [here, there] = [await test.ask(QUESTION), await app.ask(QUESTION)];
  expect(there).toEqual(here);
  expect(there.error).toBeNull();
}
