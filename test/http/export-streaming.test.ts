import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import type { ExportRow } from '../../src/export/export-row.ts';
import type { ExportStore } from '../../src/export/export.store.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { exportServiceOn, readRequest } from '../export/stored-exports.ts';
import { measureValues } from '../feature/measure-values.ts';
import { serveExports } from './served-exports.ts';

const MAX_FEATURES = 2000;
let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

/** A row of about 50 kB. */
const heavy: ExportRow = {
  record: {
    id: 'f1',
    sceneId: 's1',
    sceneName: 'Field',
    segmentationId: 'q1',
    prompt: 'water'.repeat(10_000),
    model: 'tiny/1',
    ...measureValues({ areaM2: 1, perimeterM: 4, compactness: 0.8 }),
    neighbourCount: 0,
    distanceM: null,
    acquiredAt: null,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    bbox: [10, 50, 11, 51],
  },
  outline: JSON.stringify(box(10, 50, 11, 51)),
  frame: null,
};

/** Gives batches for ever, unless told to fail before one of them. */
class EndlessStore implements ExportStore {
  batchesRead = 0;
  isClosed = false;
  constructor(private readonly failsAt = Number.POSITIVE_INFINITY) {}

  choose() {
    const read = async function* (this: EndlessStore) {
      try {
        for (;;) {
          if (this.batchesRead === this.failsAt) throw new Error('the database went away');
          this.batchesRead++;
          yield [heavy, heavy, heavy, heavy];
        }
      } finally {
        this.isClosed = true;
      }
    };
    return Promise.resolve({ featureCount: 1000, withoutGeoreference: 0, batches: () => read.call(this) });
  }
}

/** Asks, and takes nothing of the answer until told to. */
function slowly(url: string): Promise<{ resume: () => void; leave: () => void; outcome: Promise<'ended' | 'cut'> }> {
  return new Promise((resolve, reject) => {
    const asking = request(`${url}/features.ndjson`, (response) => {
      const outcome = new Promise<'ended' | 'cut'>((settle) => {
        response.once('end', () => settle('ended')).once('error', () => settle('cut'));
      });
      resolve({ resume: () => void response.resume(), leave: () => void asking.destroy(), outcome });
    });
    asking.once('error', reject).end();
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 20_000) throw new Error('waited in vain');
    await sleep(20);
  }
}

describe('a long export', () => {
  it('is read at the pace of the client, and no further once the client has gone', async () => {
    const store = new EndlessStore();
    const slow = await serveExports(exportServiceOn(database, MAX_FEATURES, store));
    const { leave } = await slowly(slow.url);
    let before = -1;
    // Batches are read until the buffers between here and there are full.
    await until(() => {
      const isSteady = before === store.batchesRead && before > 0;
      before = store.batchesRead;
      return isSteady;
    });
    await sleep(300);
    expect(store.batchesRead).toBeLessThanOrEqual(before + 1);
    leave();
    await until(() => store.isClosed);
    await until(() => slow.logged.some((line) => line.includes('Export:Abandoned')));
    await slow.stop(0);
  });

  it('is cut when the client reads nothing for a while', async () => {
    const store = new EndlessStore();
    const slow = await serveExports(exportServiceOn(database, MAX_FEATURES, store), {}, 200);
    await slowly(slow.url);
    await until(() => store.isClosed);
    await slow.stop(0);
  });

  it('that fails in the middle cuts the connection and says why in the log', async () => {
    const store = new EndlessStore(20);
    const failing = await serveExports(exportServiceOn(database, MAX_FEATURES, store));
    const { resume, outcome } = await slowly(failing.url);
    resume();
    expect(await outcome).toBe('cut');
    expect(failing.logged.join('')).toContain('the database went away');
    await failing.stop(0);
  });

  it('that fails at the first batch is an error as JSON', async () => {
    const failing = await serveExports(exportServiceOn(database, MAX_FEATURES, new EndlessStore(0)));
    const response = await fetch(`${failing.url}/features.geojson`);
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: expect.objectContaining({ code: 'INTERNAL_SERVER_ERROR' }) as object },
    ]);
    await failing.stop(0);
  });

  it('of features that are deleted during it is cut off: a part must not look whole', async () => {
    const { scene, segmentation } = await runningSegmentation(database);
    const outlines = Array.from({ length: 1500 }, (_, k) => box(30 + k / 1e3, 10, 30.0005 + k / 1e3, 10.001));
    const features = featuresOf(...outlines).map((one) => ({ ...one, meanProbability: 0.5 }));
    await new SegmentationRepository(database).storeResult(segmentation, resultOf(features, { nearM: 0 }));
    const service = exportServiceOn(database, MAX_FEATURES);
    const file = await service.open('ndjson', readRequest({ filter: { segmentationId: segmentation.id } }));
    const reading = async () => {
      for await (const piece of file.pieces()) {
        expect(piece.length).toBeGreaterThan(0);
        await database.execute(Prisma.sql`DELETE FROM scene WHERE id = ${scene.id}::uuid`);
      }
    };
    await expect(reading()).rejects.toThrow(/500 of the features were deleted during the export/);
  });
});
