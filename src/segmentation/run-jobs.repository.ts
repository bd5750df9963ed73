import PgBoss from 'pg-boss';
import { z } from 'zod';
import type { Queries } from '../database/database.ts';

/** A batch that waits to be run. */
export interface RunJob {
  readonly batchId: string;
  /** The model that its questions go to, `name/version`. */
  readonly modelId: string;
}

const QUEUE = 'segmentation';
const JobRow = z.object({ id: z.string(), data: z.object({ batchId: z.string(), modelId: z.string() }) });

/** Runs that were begun before go first: part of their work is done. */
const PRIORITY = { fresh: 0, begun: 1 };

/**
 * Only the statements of pg-boss are used, each in a transaction of ours, so that a job and its rows never disagree: the
 * schema is made by a migration, and a job is gone once it is taken, which leaves nothing to supervise.
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
 * @param delayS seconds that it is left there at least
 */
export async function addJob(queries: Queries, job: RunJob, begun: boolean, delayS = 0): Promise<void> {
  const options = { priority: begun ? PRIORITY.begun : PRIORITY.fresh, ...(delayS > 0 ? { startAfter: delayS } : {}) };
  const added = await boss.send(QUEUE, { ...job }, { ...options, ...within(queries) });
  if (added === null) throw new Error(`batch ${job.batchId} was not taken by the queue`);
}

/** Takes the next batch out of the queue; another transaction never gets the same. @returns null when nothing is due */
export async function takeJob(queries: Queries): Promise<RunJob | null> {
  const [found] = await boss.fetch(QUEUE, { ...within(queries) });
  if (!found) return null;
  const { id, data } = JobRow.parse(found);
  await boss.deleteJob(QUEUE, id, within(queries));
  return data;
}
