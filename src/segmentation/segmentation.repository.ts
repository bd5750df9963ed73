import { z } from 'zod';
import { type Connections, Prisma, type Queries } from '../database/database.ts';
import { isIdentifier } from '../database/sql/identifier.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import type { CountedPage, Page, PageRequest } from '../page.ts';
import { readUncompared, storeComparison } from './comparison.repository.ts';
import type {
  Attempt,
  Claim,
  ProgressUpdate,
  Release,
  Released,
  RunStore,
  SameAnswer,
  Uncompared,
} from './run.store.ts';
import { findSameAnswers } from './same-answer.repository.ts';
import { createSegmentations } from './segmentation-create.repository.ts';
import {
  countSegmentations,
  countSegmentationsOf,
  listSegmentations,
  listSegmentationsOf,
} from './segmentation-list.repository.ts';
import { storeSegmentationResult } from './segmentation-result.repository.ts';
import {
  claimRun,
  type Backlog,
  explainWait,
  failAttempts,
  readBacklog,
  recoverLost,
  releaseAttempts,
  retryFailed,
  unfinishedBatches,
  WORKER_LOCKS,
  writeProgress,
} from './segmentation-run.repository.ts';
import { SEGMENTATION_COLUMNS, SegmentationRow } from './segmentation.row.ts';
import {
  type Failure,
  type NewSegmentation,
  type Segmentation,
  SEGMENTATION_STATES,
  type StoredMask,
} from './segmentation.ts';
import type {
  ChangeListener,
  CreateOptions,
  SegmentationFilter,
  SegmentationResult,
  SegmentationStore,
  StoredAdjacencyInput,
} from './segmentation.store.ts';

const CHANGES = 'terraql_segmentation';

const ChangedState = z.enum([...SEGMENTATION_STATES, 'DELETED']);
const MaskRow = z.object({
  segmentationId: z.string(),
  widthPx: z.number(),
  heightPx: z.number(),
  counts: z.string().transform((text) => z.array(z.number()).parse(JSON.parse(text))),
  pixelCount: z.number(),
  areaM2: z.number().nullable(),
  meanProbability: z.number(),
});

/** Segmentations in PostgreSQL. */
export class SegmentationRepository implements SegmentationStore, RunStore {
  constructor(private readonly database: Connections) {}

  create(questions: readonly NewSegmentation[], options: CreateOptions): Promise<Segmentation[]> {
    return this.database.transaction((queries) => createSegmentations(queries, questions, options));
  }

  async byId(id: string): Promise<Segmentation | null> {
    const [found] = await this.byIds([id]);
    return found ?? null;
  }

  /** Uses the primary key. */
  byIds(ids: readonly string[]): Promise<Segmentation[]> {
    return this.database.query(
      SegmentationRow,
      Prisma.sql`SELECT ${SEGMENTATION_COLUMNS} FROM ${this.database.scope.rows('segmentation')} AS s WHERE s.id = ANY(${uuidsSql(ids)})`,
    );
  }

  async list(filter: SegmentationFilter, page: PageRequest): Promise<CountedPage<Segmentation>> {
    const found = await listSegmentations(this.database, filter, page);
    return { ...found, totalCount: () => countSegmentations(this.database, filter) };
  }

  listOf(sceneIds: readonly string[], page: PageRequest): Promise<Map<string, Page<Segmentation>>> {
    return listSegmentationsOf(this.database, sceneIds, page);
  }

  countsOf(sceneIds: readonly string[]): Promise<Map<string, number>> {
    return countSegmentationsOf(this.database, sceneIds);
  }

  /** Uses the primary key. */
  async cancel(id: string): Promise<boolean> {
    if (!isIdentifier(id)) return false;
    const count = await this.database.execute(Prisma.sql`
      UPDATE segmentation
      SET state = 'CANCELLED', worker = NULL, eta_s = NULL, failure_code = NULL, failure_message = NULL,
          finished_at = CURRENT_TIMESTAMP
      WHERE ${this.database.scope.owns('segmentation')} AND id = ${id}::uuid AND state IN ('QUEUED', 'RUNNING')`);
    return count === 1;
  }

  /** Uses the primary key; what belongs to it goes by foreign keys. */
  async remove(id: string): Promise<boolean> {
    if (!isIdentifier(id)) return false;
    const count = await this.database.transaction((queries) =>
      queries.execute(
        Prisma.sql`DELETE FROM segmentation WHERE ${queries.scope.owns('segmentation')} AND id = ${id}::uuid`,
      ),
    );
    return count === 1;
  }

  retry(ids: readonly string[]): Promise<string[]> {
    return this.database.transaction((queries) => retryFailed(queries, ids));
  }

  listen({ onChange, onGap }: ChangeListener): Promise<() => void> {
    const onNotification = (payload: string): void => {
      const [id = '', state] = payload.split(' ');
      onChange({ id, state: ChangedState.parse(state) });
    };
    return this.database.session.listen(CHANGES, { onNotification, onReconnect: onGap });
  }

  takeWorkerNumber(): Promise<number> {
    return this.database.session.holdNumber(WORKER_LOCKS);
  }

  isVisible(): boolean {
    return this.database.session.isHolding();
  }

  claim(worker: number, delayOf: (modelId: string) => number): Promise<Claim | null> {
    return this.database.transaction((queries) => claimRun(queries, worker, delayOf));
  }

  async sameAnswers(ids: readonly string[]): Promise<Map<string, SameAnswer>> {
    return findSameAnswers(this.database, ids, (answers) => this.masks(answers));
  }

  progress(attempts: readonly Attempt[], progress: ProgressUpdate): Promise<Set<string>> {
    return writeProgress(this.database, attempts, progress);
  }

  fail(attempts: readonly Attempt[], failure: Failure): Promise<void> {
    return failAttempts(this.database, attempts, failure);
  }

  release(attempts: readonly Attempt[], release: Release): Promise<Released> {
    return this.database.transaction((queries) => releaseAttempts(queries, attempts, release));
  }

  recover(): Promise<Released> {
    return this.database.transaction(recoverLost);
  }

  explainWait(modelId: string, failure: Failure): Promise<void> {
    return explainWait(this.database, modelId, failure);
  }

  /** What waits and runs on this database, of all processes. */
  backlog(): Promise<Backlog> {
    return readBacklog(this.database);
  }

  unfinished(batchIds: readonly string[]): Promise<Set<string>> {
    return unfinishedBatches(this.database, batchIds);
  }

  storeResult(attempt: Attempt, result: SegmentationResult, signal?: AbortSignal): Promise<void> {
    return this.database.transaction((queries) => storeSegmentationResult(queries, attempt, result), signal);
  }

  nextUncompared(worker: number, without: ReadonlySet<string>): Promise<Uncompared | null> {
    return readUncompared(this.database, worker, without);
  }

  storeComparison(
    uncompared: Uncompared,
    adjacency: readonly StoredAdjacencyInput[],
    nearM: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const store = (queries: Queries): Promise<boolean> => storeComparison(queries, uncompared, adjacency, nearM);
    return this.database.transaction(store, signal);
  }

  async mask(id: string): Promise<StoredMask | null> {
    return (await this.masks([id])).get(id) ?? null;
  }

  /** Uses the primary key. Run lengths are read as text: a driver would make an object of each. */
  async masks(ids: readonly string[]): Promise<Map<string, StoredMask>> {
    const rows = await this.database.query(
      MaskRow,
      Prisma.sql`
        SELECT segmentation_id AS "segmentationId", width_px AS "widthPx", height_px AS "heightPx",
               array_to_json(counts)::text AS counts, pixel_count::float8 AS "pixelCount", area_m2 AS "areaM2",
               mean_probability AS "meanProbability"
        FROM ${this.database.scope.rows('mask')} AS mask WHERE segmentation_id = ANY(${uuidsSql(ids)})`,
    );
    return new Map(rows.map(({ segmentationId, ...mask }) => [segmentationId, mask]));
  }
}
