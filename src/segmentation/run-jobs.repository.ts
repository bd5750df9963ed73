import PgBoss from 'pg-boss';
import { z } from 'zod';
import type { Queries } from '../database/database.ts';

/** A queued batch. */
export interface RunJob {
  readonly batchId: string;
  /** Model of its questions, `name/version`. */
  readonly modelId: string;
  /** Owner of its rows. */
  readonly workspace: string;
}

const QUEUE = 'segmentation';
const JobRow = z.object({
  id: z.string(),
  data: z.object({ batchId: z.string(), modelId: z.string(), workspace: z.string() }),
});

/** Resumed runs go first: part of their work is done. */
const PRIORITY = { fresh: 0, begun: 1 };

/**
 * Uses the statements of pg-boss inside our own transactions, so that a job and its rows never disagree. A migration makes
 * the schema, and a fetched job is deleted at once, so pg-boss has nothing to supervise.
 */
const boss = new PgBoss({
  schema: 'terraql_queue',
  db: { executeSql: () => Promise.reject(new Error('a job was touched outside a transaction')) },
});

const within = (queries: Queries) => ({
  db: { executeSql: async (sql: string, values: unknown[]) => ({ rows: await queries.foreign(sql, values) }) },
});

/**
 * Puts a batch in the queue.
 * @param delayS least seconds before it is due
 */
export async function addJob(queries: Queries, job: RunJob, begun: boolean, delayS = 0): Promise<void> {
  const options = { priority: begun ? PRIORITY.begun : PRIORITY.fresh, ...(delayS > 0 ? { startAfter: delayS } : {}) };
  const added = await boss.send(QUEUE, { ...job }, { ...options, ...within(queries) });
  if (added === null) throw new Error(`batch ${job.batchId} was not taken by the queue`);
}

/** Takes the next batch out of the queue, exclusively. @returns null when nothing is due */
export async function takeJob(queries: Queries): Promise<RunJob | null> {
  const [found] = await boss.fetch(QUEUE, { ...within(queries) });
  if (!found) return null;
  const { id, data } = JobRow.parse(found);
  await boss.deleteJob(QUEUE, id, within(queries));
  return data;
}
