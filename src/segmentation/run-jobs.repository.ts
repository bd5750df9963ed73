import PgBoss from 'pg-boss';
import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';

/** A queued batch. */
export interface RunJob {
  readonly batchId: string;
  /** Model of its questions, `name/version`. */
  readonly modelId: string;
  /** Owner of its rows. */
  readonly workspace: string;
}

const QUEUE = 'segmentation';
const WaitingRow = z.object({ id: z.string() });
const JobRow = z.object({
  data: z.object({ batchId: z.string(), modelId: z.string(), workspace: z.string() }),
});

/** Resumed runs go first: part of their work is done. */
const PRIORITY = { fresh: 0, begun: 1 };

/**
 * Uses the statements of pg-boss inside our own transactions, so that a job and its rows never disagree. A migration makes
 * the schema, and a job is deleted when it is taken, so pg-boss has nothing to supervise.
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

/** Workspaces that are looked at in one statement. */
const WORKSPACES = 20;

/**
 * Takes the next batch out of the queue, exclusively: of the workspace that was served longest ago, so that however many
 * batches of one wait, they delay those of another by one batch. Uses `workspace_turn` and `job_of_workspace`.
 * @returns null when nothing is due
 */
export async function takeJob(queries: Queries): Promise<RunJob | null> {
  const waiting = await queries.query(
    WaitingRow,
    Prisma.sql`
      SELECT w.id FROM workspace AS w
      WHERE EXISTS (SELECT FROM terraql_queue.job AS j WHERE ${isDueSql(Prisma.sql`w.id`)})
      ORDER BY w.served_at NULLS FIRST, w.id LIMIT ${WORKSPACES}::int`,
  );
  for (const { id } of waiting) {
    const [job] = await queries.query(
      JobRow,
      Prisma.sql`
        DELETE FROM terraql_queue.job WHERE name = ${QUEUE}::text AND id = (
          SELECT j.id FROM terraql_queue.job AS j WHERE ${isDueSql(Prisma.sql`${id}::text`)}
          ORDER BY j.priority DESC, j.created_on, j.id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING data`,
    );
    if (!job) continue;
    await queries.execute(Prisma.sql`UPDATE workspace SET served_at = clock_timestamp() WHERE id = ${id}::text`);
    return job.data;
  }
  return null;
}

/** Whether the job `j` is a waiting one of a workspace. */
function isDueSql(workspace: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`j.name = ${QUEUE}::text AND j.state < 'active' AND j.start_after < now()
    AND j.data->>'workspace' = ${workspace}`;
}
