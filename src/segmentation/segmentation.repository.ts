import { z } from 'zod';
import { decodeCursor, encodeCursor, pageOf } from '../database/cursor.ts';
import { Prisma, type Database, type Queries } from '../database/database.ts';
import { isIdentifier, requireIdentifier, uuidV7 } from '../database/identifier.ts';
import type { CountedPage, PageRequest } from '../page.ts';
import { storeSegmentationResult } from './segmentation-result.repository.ts';
import { SegmentationRow } from './segmentation.row.ts';
import type { NewSegmentation, Segmentation, SegmentationProgress, StoredMask } from './segmentation.ts';
import type { SegmentationFilter, SegmentationResult, SegmentationStore } from './segmentation.store.ts';

const ORDER = 'newest';
const KEY_LIFETIME_MS = 24 * 3600 * 1000;

const IdRow = z.object({ id: z.string() });
const MaskRow = z.object({
  widthPx: z.number(),
  heightPx: z.number(),
  counts: z.string().transform((text) => z.array(z.number()).parse(JSON.parse(text))),
  pixelCount: z.number(),
  areaM2: z.number().nullable(),
  meanProbability: z.number(),
});

/** Segmentations in PostgreSQL. */
export class SegmentationRepository implements SegmentationStore {
  constructor(private readonly database: Database) {}

  /** Leans on `segmentation_idempotency_key`; calls with one key wait for one another. */
  create(questions: readonly NewSegmentation[], idempotencyKey: string | null): Promise<Segmentation[]> {
    return this.database.transaction(async (queries) => {
      if (idempotencyKey !== null) {
        await queries.execute(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${idempotencyKey}, 0))`);
        const since = new Date(Date.now() - KEY_LIFETIME_MS);
        const where = { idempotencyKey, createdAt: { gte: since } };
        const known = await queries.prisma.segmentation.findMany({ where, orderBy: { id: 'asc' } });
        if (known.length > 0) return z.array(SegmentationRow).parse(known);
      }
      const batchId = uuidV7();
      const data = questions.map((question) => rowOf(question, batchId, idempotencyKey));
      await queries.prisma.segmentation.createMany({ data });
      return batchRows(queries, { batchId });
    });
  }

  async byId(id: string): Promise<Segmentation | null> {
    const [found] = await this.byIds([id]);
    return found ?? null;
  }

  /** Leans on the primary key. */
  async byIds(ids: readonly string[]): Promise<Segmentation[]> {
    const rows = await this.database.prisma.segmentation.findMany({ where: { id: { in: ids.filter(isIdentifier) } } });
    return z.array(SegmentationRow).parse(rows);
  }

  /** Leans on `segmentation_scene` with a scene, else walks the primary key backwards: identifiers ascend with time. */
  async list(filter: SegmentationFilter, { first, after }: PageRequest): Promise<CountedPage<Segmentation>> {
    const where = whereOf(filter);
    const beyond = after === null ? {} : { id: { lt: decodeCursor(ORDER, after).id } };
    const rows = await this.database.prisma.segmentation.findMany({
      where: { AND: [where, beyond] },
      orderBy: { id: 'desc' },
      take: first + 1,
    });
    const page = pageOf(z.array(SegmentationRow).parse(rows), first, (node) => ({
      node,
      cursor: encodeCursor(ORDER, { value: null, id: node.id }),
    }));
    return { ...page, totalCount: await this.database.prisma.segmentation.count({ where }) };
  }

  /**
   * Leans on `segmentation_unfinished`. Locked rows are passed over, so that two claims never meet; a batch is claimed
   * through its first waiting row, whose lock the other rows follow.
   */
  claim(): Promise<Segmentation[]> {
    return this.database.transaction(async (queries) => {
      const claimed = await queries.query(
        IdRow,
        Prisma.sql`
          WITH head AS (
            SELECT batch_id FROM segmentation WHERE state = 'QUEUED' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
          )
          UPDATE segmentation AS s
          SET state = 'RUNNING', attempts = s.attempts + 1, started_at = CURRENT_TIMESTAMP, phase = 'reading',
              windows_done = 0, eta_s = NULL
          FROM (
            SELECT id FROM segmentation
            WHERE batch_id = (SELECT batch_id FROM head) AND state = 'QUEUED'
            ORDER BY id FOR UPDATE SKIP LOCKED
          ) AS waiting
          WHERE s.id = waiting.id
          RETURNING s.id`,
      );
      return batchRows(queries, { id: { in: claimed.map(({ id }) => id) } });
    });
  }

  /** Leans on `segmentation_unfinished`. */
  async requeueRunning(): Promise<number> {
    const { count } = await this.database.prisma.segmentation.updateMany({
      where: { state: 'RUNNING' },
      data: { state: 'QUEUED', phase: 'queued', etaS: null },
    });
    return count;
  }

  async progress(id: string, { phase, windowsDone, windowsTotal, etaS }: SegmentationProgress): Promise<boolean> {
    const { count } = await this.database.prisma.segmentation.updateMany({
      where: { id, state: 'RUNNING' },
      data: { phase, windowsDone, windowsTotal, etaS },
    });
    return count === 1;
  }

  fail(id: string, { code, message }: { readonly code: string; readonly message: string }): Promise<boolean> {
    return this.end(id, { state: 'FAILED', failureCode: code, failureMessage: message });
  }

  cancel(id: string): Promise<boolean> {
    return this.end(id, { state: 'CANCELLED' });
  }

  async storeResult(id: string, result: SegmentationResult): Promise<void> {
    await this.database.transaction((queries) => storeSegmentationResult(queries, id, result));
  }

  /** Leans on the primary key. Run lengths come as text: a driver would make an object of each. */
  async mask(id: string): Promise<StoredMask | null> {
    if (!isIdentifier(id)) return null;
    const [found] = await this.database.query(
      MaskRow,
      Prisma.sql`
        SELECT width_px AS "widthPx", height_px AS "heightPx", array_to_json(counts)::text AS counts,
               pixel_count::float8 AS "pixelCount", area_m2 AS "areaM2", mean_probability AS "meanProbability"
        FROM mask WHERE segmentation_id = ${id}::uuid`,
    );
    return found ?? null;
  }

  private async end(id: string, data: Prisma.SegmentationUpdateManyMutationInput): Promise<boolean> {
    if (!isIdentifier(id)) return false;
    const { count } = await this.database.prisma.segmentation.updateMany({
      where: { id, state: { in: ['QUEUED', 'RUNNING'] } },
      data: { ...data, etaS: null, finishedAt: new Date() },
    });
    return count === 1;
  }
}

async function batchRows(queries: Queries, where: Prisma.SegmentationWhereInput): Promise<Segmentation[]> {
  const rows = await queries.prisma.segmentation.findMany({ where, orderBy: { id: 'asc' } });
  return z.array(SegmentationRow).parse(rows);
}

function rowOf(
  question: NewSegmentation,
  batchId: string,
  idempotencyKey: string | null,
): Prisma.SegmentationCreateManyInput {
  const { model, areaOfInterest, ...plain } = question;
  return {
    id: uuidV7(),
    ...plain,
    batchId,
    idempotencyKey,
    modelId: model.id,
    modelName: model.name,
    modelVersion: model.version,
    modelSha256: model.sha256,
    modelWindowPx: model.windowPx,
    modelLicence: model.licence,
    areaOfInterest: areaOfInterest === null ? Prisma.DbNull : { ...areaOfInterest },
  };
}

function whereOf({ sceneId, state, promptContains, modelId, targetFound, created }: SegmentationFilter) {
  const where: Prisma.SegmentationWhereInput = {
    ...(sceneId === undefined ? {} : { sceneId: requireIdentifier('sceneId', sceneId) }),
    ...(state === undefined ? {} : { state }),
    ...(promptContains === undefined ? {} : { prompt: { contains: promptContains, mode: 'insensitive' } }),
    ...(modelId === undefined ? {} : { modelId }),
    ...(targetFound === undefined ? {} : { targetFound }),
    ...(created === undefined
      ? {}
      : {
          createdAt: {
            ...(created.from ? { gte: created.from } : {}),
            ...(created.to ? { lte: created.to } : {}),
          },
        }),
  };
  return where;
}
