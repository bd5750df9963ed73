import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FolderBlobStore } from '../../src/blob-store.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { exportFormat } from '../../src/export/export-format.ts';
import { type ExportPorts, ExportWorker } from '../../src/export/export-worker.ts';
import type { ExportService } from '../../src/export/export.service.ts';
import { blobFolderOf } from '../../src/export/stored-export.ts';
import { ExportQueueRepository, StoredExportRepository } from '../../src/export/stored-export.repository.ts';
import { StoredExportService } from '../../src/export/stored-export.service.ts';
import { z } from 'zod';
import { openTestDatabase } from '../database/test-database.ts';
import { exportServiceOn, readRequest, storeForExport } from './stored-exports.ts';

let database: Database;
let folder = '';
let blobs: FolderBlobStore;
let exports: StoredExportService;
beforeAll(async () => {
  database = await openTestDatabase();
  await storeForExport(database);
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-export-worker-'));
  blobs = new FolderBlobStore(folder);
  exports = serviceFor(3600);
});
afterAll(async () => {
  await blobs.close();
  await database.close();
  await rm(folder, { recursive: true });
});

const workspace = () => database.forWorkspace('default');

function serviceFor(ttlS: number): StoredExportService {
  return new StoredExportService(new StoredExportRepository(workspace()), exportServiceOn(database), {
    ttlS,
    onCreate: () => undefined,
    room: { admit: () => Promise.resolve() },
  });
}

/** A worker while something is done with it. */
async function whileWorking<T>(ports: Partial<ExportPorts>, act: (worker: ExportWorker) => Promise<T>): Promise<T> {
  const worker = new ExportWorker(
    {
      queue: new ExportQueueRepository(database.forRuns),
      exportsOf: () => exportServiceOn(database),
      tilesOf: () => Promise.resolve(null),
      blobs,
      logger: pino({ level: 'silent' }),
      usage: { add: () => undefined },
      ...ports,
    },
    20,
  );
  worker.start();
  try {
    return await act(worker);
  } finally {
    await worker.close();
  }
}

/** Writes for ever; tells when it has begun and when it was left. */
function endless() {
  const told = { hasBegun: false, wasLeft: false };
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        told.hasBegun = true;
        await new Promise(setImmediate);
        yield Buffer.alloc(10);
      }
    } finally {
      told.wasLeft = true;
    }
  };
  const open: ExportService['open'] = () =>
    Promise.resolve({
      format: exportFormat('csv'),
      featureCount: 1000,
      withoutGeoreference: 0,
      warnings: [],
      pieces,
    });
  return { told, exportsOf: () => ({ open }) };
}

const stateOf = async (id: string) => (await exports.byId(id))?.state;
const filesOf = (id: string) => blobs.list(blobFolderOf(id));

describe('an export', () => {
  it('that is cancelled while it is written ends at once and leaves no file', async () => {
    const { told, exportsOf } = endless();
    const { id } = await exports.create('CSV', readRequest({}));
    await whileWorking({ exportsOf }, async () => {
      await vi.waitFor(() => expect(told.hasBegun).toBe(true), { timeout: 10_000 });
      expect((await exports.cancel(id)).state).toBe('CANCELLED');
      await vi.waitFor(() => expect(told.wasLeft).toBe(true), { timeout: 10_000 });
    });
    expect(await stateOf(id)).toBe('CANCELLED');
    expect(await filesOf(id)).toEqual([]);
    await expect(exports.finished(id)).rejects.toThrow('is CANCELLED');
  });

  it('that is cancelled in the queue is never begun', async () => {
    const cancelled = await exports.create('CSV', readRequest({}));
    await exports.cancel(cancelled.id);
    const next = await exports.create('CSV', readRequest({}));
    await whileWorking({}, () =>
      vi.waitFor(async () => expect(await stateOf(next.id)).toBe('SUCCEEDED'), { timeout: 10_000 }),
    );
    expect(await stateOf(cancelled.id)).toBe('CANCELLED');
    expect(await filesOf(cancelled.id)).toEqual([]);
    expect(await filesOf(next.id)).toEqual(['file']);
  });

  it('that a worker leaves when it stops is made by the next', async () => {
    const { told, exportsOf } = endless();
    const { id } = await exports.create('GEOJSON', readRequest({}));
    await whileWorking({ exportsOf }, () => vi.waitFor(() => expect(told.hasBegun).toBe(true), { timeout: 10_000 }));
    expect(await stateOf(id)).toBe('QUEUED');
    await whileWorking({}, () =>
      vi.waitFor(async () => expect(await stateOf(id)).toBe('SUCCEEDED'), { timeout: 10_000 }),
    );
  });

  it('that has expired is gone, its row and its file', async () => {
    const { id } = await exports.create('CSV', readRequest({}));
    await whileWorking({}, () =>
      vi.waitFor(async () => expect(await stateOf(id)).toBe('SUCCEEDED'), { timeout: 10_000 }),
    );
    const kept = await exports.create('CSV', readRequest({}));
    expect(await filesOf(id)).toEqual(['file']);
    await workspace().execute(
      Prisma.sql`UPDATE export SET expires_at = CURRENT_TIMESTAMP - interval '1 second' WHERE id = ${id}::uuid`,
    );
    await expect(exports.finished(id)).rejects.toThrow('may have expired');
    // A worker looks for what expired when it starts.
    await whileWorking({}, () => vi.waitFor(async () => expect(await filesOf(id)).toEqual([]), { timeout: 10_000 }));
    const [row] = await database.query(
      z.object({ count: z.number() }),
      Prisma.sql`SELECT count(*)::int AS count FROM export WHERE id = ${id}::uuid`,
    );
    expect(row).toEqual({ count: 0 });
    expect(await exports.byId(kept.id)).not.toBeNull();
  });
});
