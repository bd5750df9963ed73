import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import { plainText } from '../plain-text.ts';
import { addJob, type RunJob, takeJob } from './run-jobs.repository.ts';
import type { Attempt, Claim, ProgressUpdate, Release, Released } from './run.store.ts';
import { SEGMENTATION_COLUMNS, SegmentationRow } from './segmentation.row.ts';
import type { Failure } from './segmentation.ts';

/** First number of the advisory locks of processes that work on runs: "Terr" in ASCII. */
export const WORKER_LOCKS = 1_415_934_578;

/** Stalled attempts in a row after which a run is FAILED. */
const MAX_STALLS = 5;
/** Ends of its process, without a new window in between, after which a run is set aside. */
const MAX_CRASHES = 2;
/** Why a run is set aside. */
const CRASHED: Failure = {
  code: 'RUN_CRASHED',
  message: `The worker process ended ${MAX_CRASHES} times during this run; the run is set aside and can be retried.`,
};
/** Seconds between checks of a batch that waits for another batch's answer. */
const SAME_WORK_AFTER_S = 2;

const IdRow = z.object({ id: z.string() });
const TraceRow = z.object({ traceparent: z.string().nullable() });
const BatchRow = z.object({ batchId: z.string() });
const ReleasedRow = z.object({
  id: z.string(),
  batchId: z.string(),
  modelId: z.string(),
  workspace: z.string(),
  failed: z.boolean(),
});

/**
 * Whether an older unfinished batch has a question of this one, about the same image registered as another scene. Uses
 * `segmentation_batch` and `segmentation_identity`.
 */
async function waitsForSameWork(queries: Queries, batchId: string): Promise<boolean> {
  const rows = await queries.query(
    IdRow,
    Prisma.sql`
      SELECT s.id FROM segmentation AS s
      JOIN segmentation AS other ON other.workspace_id = s.workspace_id AND other.identity = s.identity AND other.batch_id < s.batch_id
      WHERE s.batch_id = ${batchId}::uuid AND s.state = 'QUEUED' AND NOT s.forced
        AND other.state IN ('QUEUED', 'RUNNING')
      LIMIT 1`,
  );
  return rows.length > 0;
}

/** Uses `segmentation_batch`, and the queue's own index. Must run in a transaction. */
export async function claimRun(
  queries: Queries,
  worker: number,
  delayOf: (modelId: string) => number,
): Promise<Claim | null> {
  for (let job = await takeJob(queries); job !== null; job = await takeJob(queries)) {
    const delayS = delayOf(job.modelId) || ((await waitsForSameWork(queries, job.batchId)) ? SAME_WORK_AFTER_S : 0);
    if (delayS > 0) {
      await addJob(queries, job, true, delayS);
      continue;
    }
    const segmentations = await queries.query(
      SegmentationRow,
      Prisma.sql`
        UPDATE segmentation AS s
        SET state = 'RUNNING', worker = ${worker}::int, attempts = s.attempts + 1, started_at = CURRENT_TIMESTAMP,
            phase = 'reading', eta_s = NULL, failure_code = NULL, failure_message = NULL
        WHERE s.batch_id = ${job.batchId}::uuid AND s.state = 'QUEUED'
        RETURNING ${SEGMENTATION_COLUMNS}`,
    );
    const inOrder = segmentations.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const [trace] = await queries.query(
      TraceRow,
      Prisma.sql`SELECT traceparent FROM segmentation WHERE batch_id = ${job.batchId}::uuid ORDER BY id LIMIT 1`,
    );
    const traceparent = trace?.traceparent ?? null;
    return { batchId: job.batchId, workspace: job.workspace, traceparent, segmentations: inOrder };
  }
  return null;
}

/** The number of finished windows never decreases, so repeating the windows of earlier attempts does not count as progress. Uses the primary key. */
export async function writeProgress(
  queries: Queries,
  attempts: readonly Attempt[],
  { phase, windowsDone, windowsTotal, etaS, advanced = false }: ProgressUpdate,
): Promise<Set<string>> {
  const rows = await queries.query(
    IdRow,
    Prisma.sql`
      UPDATE segmentation AS s
      SET phase = ${phase}::text, windows_done = GREATEST(s.windows_done, ${windowsDone}::int), windows_total = ${windowsTotal}::int,
          eta_s = ${etaS}::float8, crashes = CASE WHEN ${advanced}::boolean THEN 0 ELSE s.crashes END,
          stalls = CASE WHEN s.windows_done < ${windowsDone}::int THEN 0 ELSE s.stalls END
      FROM ${attemptsSql(attempts)} WHERE ${isLastAttempt}
      RETURNING s.id`,
  );
  return new Set(rows.map(({ id }) => id));
}

/** Uses the primary key. */
export async function failAttempts(queries: Queries, attempts: readonly Attempt[], failure: Failure): Promise<void> {
  const { code, message } = storable(failure);
  await queries.execute(Prisma.sql`
    UPDATE segmentation AS s
    SET state = 'FAILED', worker = NULL, eta_s = NULL, finished_at = CURRENT_TIMESTAMP, failure_code = ${code}::text,
        failure_message = ${message}::text
    FROM ${attemptsSql(attempts)} WHERE ${isLastAttempt}`);
}

/** Uses the primary key. Must run in a transaction. */
export function releaseAttempts(queries: Queries, attempts: readonly Attempt[], release: Release): Promise<Released> {
  return putBack(
    queries,
    Prisma.sql`SELECT s.id FROM segmentation AS s, ${attemptsSql(attempts)} WHERE ${isLastAttempt} FOR UPDATE OF s`,
    release,
  );
}

/**
 * Requeues runs of processes whose advisory lock is free, and sets those aside that ended their process too often.
 * Uses `segmentation_unfinished`. Must run in a transaction.
 */
export function recoverLost(queries: Queries): Promise<Released> {
  const lost = Prisma.sql`
    SELECT s.id FROM segmentation AS s
    WHERE s.state = 'RUNNING' AND NOT EXISTS (
      SELECT 1 FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::bigint = ${WORKER_LOCKS}::int
        AND l.objid::bigint = s.worker
    )
    ORDER BY s.id FOR UPDATE OF s SKIP LOCKED`;
  const failure = { code: 'WORKER_LOST', message: 'The worker process ended before the run was finished.' };
  return putBack(queries, lost, { failure, delayS: 0, stalled: true }, CRASHED);
}

/**
 * @param running statement that locks rows and returns their `id`
 * @param crashed failure of runs that ended their process too often; null: the process of the runs lives
 */
async function putBack(
  queries: Queries,
  running: Prisma.Sql,
  { failure: reason, delayS, stalled }: Release,
  crashed: Failure | null = null,
): Promise<Released> {
  const failure = reason && storable(reason);
  const step = stalled ? 1 : 0;
  const isSetAside = crashed ? Prisma.sql`s.crashes + 1 >= ${MAX_CRASHES}::int` : Prisma.sql`FALSE`;
  const isOver = stalled ? Prisma.sql`(s.stalls + 1 >= ${MAX_STALLS}::int OR ${isSetAside})` : Prisma.sql`FALSE`;
  const rows = await queries.query(
    ReleasedRow,
    Prisma.sql`
      WITH running AS (${running})
      UPDATE segmentation AS s
      SET state = CASE WHEN ${isOver} THEN 'FAILED' ELSE 'QUEUED' END, worker = NULL, eta_s = NULL,
          phase = CASE WHEN ${isOver} THEN s.phase ELSE 'queued' END,
          finished_at = CASE WHEN ${isOver} THEN CURRENT_TIMESTAMP END, stalls = s.stalls + ${step}::int,
          crashes = s.crashes + ${crashed ? 1 : 0}::int,
          failure_code = CASE WHEN ${isSetAside} THEN ${crashed?.code ?? null}::text ELSE ${failure?.code ?? null}::text END,
          failure_message = CASE WHEN ${isSetAside} THEN ${crashed?.message ?? null}::text ELSE ${failure?.message ?? null}::text END
      FROM running WHERE s.id = running.id
      RETURNING s.id, s.batch_id AS "batchId", s.model_id AS "modelId", s.workspace_id AS workspace, s.state = 'FAILED' AS failed`,
  );
  const queued = rows.filter(({ failed }) => !failed);
  await queueBatches(queries, queued, delayS);
  return { queued: queued.map(({ id }) => id), failed: rows.filter(({ failed }) => failed).map(({ id }) => id) };
}

/** Uses the primary key. Must run in a transaction. */
export async function retryFailed(queries: Queries, ids: readonly string[]): Promise<string[]> {
  const rows = await queries.query(
    ReleasedRow.omit({ failed: true }),
    Prisma.sql`
      UPDATE segmentation AS s
      SET state = 'QUEUED', phase = 'queued', finished_at = NULL, stalls = 0, crashes = 0, windows_done = 0, failure_code = NULL,
          failure_message = NULL
      WHERE ${queries.scope.owns('s')} AND s.id = ANY(${uuidsSql(ids)}) AND s.state = 'FAILED'
      RETURNING s.id, s.batch_id AS "batchId", s.model_id AS "modelId", s.workspace_id AS workspace`,
  );
  await queueBatches(queries, rows, 0);
  return rows.map(({ id }) => id);
}

/** Queues one job per batch, as resumed work. */
async function queueBatches(queries: Queries, rows: readonly RunJob[], delayS: number): Promise<void> {
  const batches = new Map(rows.map(({ batchId, modelId, workspace }) => [batchId, { batchId, modelId, workspace }]));
  for (const job of batches.values()) await addJob(queries, job, true, delayS);
}

/** Uses `segmentation_unfinished`. */
export async function explainWait(queries: Queries, modelId: string, failure: Failure): Promise<void> {
  const { code, message } = storable(failure);
  await queries.execute(Prisma.sql`
    UPDATE segmentation SET failure_code = ${code}::text, failure_message = ${message}::text
    WHERE state = 'QUEUED' AND model_id = ${modelId}::text AND failure_message IS DISTINCT FROM ${message}::text`);
}

/** Uses `segmentation_batch`. */
const BacklogRow = z.object({ queued: z.number(), running: z.number(), oldestQueuedS: z.number() });
export type Backlog = z.infer<typeof BacklogRow>;

/** What waits and runs on this database. Uses `segmentation_unfinished`. */
export async function readBacklog(queries: Queries): Promise<Backlog> {
  const [row] = await queries.query(
    BacklogRow,
    Prisma.sql`
      SELECT (count(*) FILTER (WHERE state = 'QUEUED'))::float8 AS queued,
             (count(*) FILTER (WHERE state = 'RUNNING'))::float8 AS running,
             COALESCE(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP - min(created_at) FILTER (WHERE state = 'QUEUED')), 0)::float8
               AS "oldestQueuedS"
      FROM segmentation WHERE state IN ('QUEUED', 'RUNNING')`,
  );
  return row!;
}

/** Uses `segmentation_batch`. */
export async function unfinishedBatches(queries: Queries, batchIds: readonly string[]): Promise<Set<string>> {
  const rows = await queries.query(
    BatchRow,
    Prisma.sql`
      SELECT DISTINCT batch_id AS "batchId" FROM segmentation
      WHERE batch_id = ANY(${uuidsSql(batchIds)}) AND state IN ('QUEUED', 'RUNNING')`,
  );
  return new Set(rows.map(({ batchId }) => batchId));
}

/** A failure whose texts the database accepts: they may come from servers and libraries. */
function storable({ code, message }: Failure): Failure {
  return { code: plainText(code), message: plainText(message) };
}

/** Attempts as a table `attempt`, for {@link isLastAttempt}. */
function attemptsSql(attempts: readonly Attempt[]): Prisma.Sql {
  const rows = JSON.stringify(attempts.map(({ id, attempts: number }) => ({ id, number })));
  return Prisma.sql`json_to_recordset(${rows}::text::json) AS attempt (id uuid, number int)`;
}

const isLastAttempt = Prisma.sql`s.id = attempt.id AND s.attempts = attempt.number AND s.state = 'RUNNING'`;
