import { z } from 'zod';
import { type Connections, Prisma, type Queries } from '../database/database.ts';
import { CountRow } from '../database/sql/count-row.ts';
import { isIdentifier } from '../database/sql/identifier.ts';
import { type KeysetColumns, keysetSql, pageOf } from '../database/sql/keyset.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ClaimedItem, Job, JobQuestions, JobReference, NewJobItem } from './job.ts';
import { JobRow } from './job.row.ts';
import type { JobStore } from './job.store.ts';

const NEWEST: KeysetColumns = { name: 'newest', id: Prisma.sql`j.id`, key: null, descending: true };
const RUNS: KeysetColumns = { name: 'runs', id: Prisma.sql`r.segmentation_id`, key: null, descending: false };
/** Seconds after which another process takes up a scene whose process has not said that it goes on. */
const CLAIM_S = 20;
const SOON = Prisma.sql`CURRENT_TIMESTAMP + ${CLAIM_S}::int * interval '1 second'`;
/** Runs of a job that may be open at a time: a pause lets those finish, and a job holds up no other for long. */
const MAX_OPEN = 8;

const ItemRow = z.object({
  jobId: z.string(),
  workspace: z.string(),
  sceneId: z.string(),
  reference: z.custom<JobReference>().nullable(),
  questions: z.custom<JobQuestions>().nullable(),
  askedAt: z.date(),
});
const IdRow = z.object({ id: z.string() });

/** Jobs in PostgreSQL. What a job has come to is counted when it is asked for. */
export class JobRepository implements JobStore {
  constructor(private readonly database: Connections) {}

  async create(id: string, questions: JobQuestions | null): Promise<void> {
    await this.database.execute(Prisma.sql`
      INSERT INTO job (id, workspace_id, questions, listing_until)
      VALUES (${id}::uuid, ${this.database.workspace}::text, ${questions && JSON.stringify(questions)}::text::jsonb, ${SOON})`);
  }

  extendListing(id: string): Promise<void> {
    return this.changeListing(id, SOON);
  }

  endListing(id: string): Promise<void> {
    return this.changeListing(id, Prisma.sql`NULL`);
  }

  private async changeListing(id: string, until: Prisma.Sql): Promise<void> {
    await this.database.execute(Prisma.sql`
      UPDATE job SET listing_until = ${until}
      WHERE ${this.database.scope.owns('job')} AND id = ${id}::uuid AND listing_until IS NOT NULL`);
  }

  /** A job whose scenes could not be listed to the end goes away again. */
  async remove(id: string): Promise<void> {
    await this.database.execute(
      Prisma.sql`DELETE FROM job WHERE ${this.database.scope.owns('job')} AND id = ${id}::uuid`,
    );
  }

  /** Scenes that the job has already are left out. */
  async addItems(jobId: string, items: readonly NewJobItem[]): Promise<void> {
    await this.database.execute(Prisma.sql`
      INSERT INTO job_item (job_id, workspace_id, scene_id, reference, windows, state, failure_code, failure_message)
      SELECT ${jobId}::uuid, ${this.database.workspace}::text, (i->>'sceneId')::uuid, NULLIF(i->'reference', 'null'), (i->>'windows')::int,
             CASE WHEN i->'failure' = 'null' THEN 'PENDING' ELSE 'FAILED' END, i->'failure'->>'code', i->'failure'->>'message'
      FROM jsonb_array_elements(${JSON.stringify(items)}::text::jsonb) AS i
      ON CONFLICT DO NOTHING`);
  }

  async byId(id: string): Promise<Job | null> {
    if (!isIdentifier(id)) return null;
    const [job] = await this.database.query(JobRow, jobsSql(this.database, Prisma.sql`j.id = ${id}::uuid`));
    return job ?? null;
  }

  /** Newest first. Walks `job_newest`. */
  async list(page: PageRequest): Promise<Page<Job>> {
    const { between, orderBy, limit } = keysetSql(NEWEST, page);
    const rows = await this.database.query(
      JobRow,
      Prisma.sql`${jobsSql(this.database, between)} ORDER BY ${orderBy} LIMIT ${limit}::int`,
    );
    return pageOf(rows, page, NEWEST.name, (node) => ({ node, position: { value: null, id: node.id } }));
  }

  async count(): Promise<number> {
    const rows = await this.database.query(
      CountRow,
      Prisma.sql`SELECT count(*)::float8 AS count FROM ${this.database.scope.rows('job')} AS j`,
    );
    return rows[0]!.count;
  }

  /** Identifiers of the runs of a job, in order. Walks the primary key of `job_run`. */
  async runs(id: string, page: PageRequest): Promise<Page<string>> {
    const { between, orderBy, limit } = keysetSql(RUNS, page);
    const rows = await this.database.query(
      IdRow,
      Prisma.sql`
        SELECT r.segmentation_id AS id FROM ${this.database.scope.rows('job_run')} AS r
        WHERE r.job_id = ${id}::uuid AND ${between} ORDER BY ${orderBy} LIMIT ${limit}::int`,
    );
    return pageOf(rows, page, RUNS.name, (row) => ({ node: row.id, position: { value: null, id: row.id } }));
  }

  async pause(id: string, paused: boolean): Promise<void> {
    await this.database.execute(
      Prisma.sql`UPDATE job SET paused = ${paused} WHERE ${this.database.scope.owns('job')} AND id = ${id}::uuid`,
    );
  }

  /** Begins no further scene, and cancels the runs that the job began itself. */
  cancel(id: string): Promise<void> {
    return this.database.transaction(async (queries) => {
      await queries.execute(Prisma.sql`
        UPDATE job SET cancelled_at = COALESCE(cancelled_at, CURRENT_TIMESTAMP), paused = false
        WHERE ${queries.scope.owns('job')} AND id = ${id}::uuid`);
      await queries.execute(Prisma.sql`
        UPDATE segmentation AS s
        SET state = 'CANCELLED', worker = NULL, eta_s = NULL, failure_code = NULL, failure_message = NULL,
            finished_at = CURRENT_TIMESTAMP
        FROM job_run AS r
        WHERE ${queries.scope.owns('r')} AND r.job_id = ${id}::uuid AND NOT r.reused
          AND s.workspace_id = r.workspace_id AND s.id = r.segmentation_id AND s.state IN ('QUEUED', 'RUNNING')`);
    });
  }

  /** Takes up the scenes that failed. @returns the runs that failed */
  async retry(id: string): Promise<string[]> {
    await this.database.execute(Prisma.sql`
      UPDATE job_item SET state = 'PENDING', failure_code = NULL, failure_message = NULL, claimed_until = NULL
      WHERE ${this.database.scope.owns('job_item')} AND job_id = ${id}::uuid AND state = 'FAILED'`);
    const rows = await this.database.query(
      IdRow,
      Prisma.sql`
        SELECT s.id FROM ${this.database.scope.rows('job_run')} AS r
        JOIN segmentation AS s ON s.workspace_id = r.workspace_id AND s.id = r.segmentation_id
        WHERE r.job_id = ${id}::uuid AND s.state = 'FAILED'`,
    );
    return rows.map((row) => row.id);
  }

  /** Those of the work keys of a scene that are answered or in progress. Uses `segmentation_identity`. */
  async stored(workKeys: readonly string[]): Promise<number> {
    if (workKeys.length === 0) return 0;
    const rows = await this.database.query(
      CountRow,
      Prisma.sql`
        SELECT count(DISTINCT identity)::float8 AS count FROM ${this.database.scope.rows('segmentation')} AS s
        WHERE identity IN (${Prisma.join([...workKeys])}) AND state IN ('QUEUED', 'RUNNING', 'SUCCEEDED')`,
    );
    return rows[0]!.count;
  }

  /** Seconds that a window of one prompt took in the last hundred runs of a model; null before its first. */
  async secondsPerWindow(modelId: string): Promise<number | null> {
    const rows = await this.database.query(
      z.object({ seconds: z.number().nullable() }),
      Prisma.sql`
        SELECT (sum(EXTRACT(EPOCH FROM finished_at - started_at)) / NULLIF(sum(windows_total), 0))::float8 AS seconds
        FROM (SELECT s.finished_at, s.started_at, s.windows_total FROM ${this.database.scope.rows('segmentation')} AS s
              WHERE s.model_id = ${modelId}::text AND s.state = 'SUCCEEDED' AND s.windows_total > 0 AND s.started_at IS NOT NULL
              ORDER BY s.id DESC LIMIT 100) AS last`,
    );
    return rows[0]?.seconds ?? null;
  }

  /** Takes scenes that are due, exclusively, of jobs that have room. Uses `job_item_pending`. */
  claim(limit: number): Promise<ClaimedItem[]> {
    return this.database.query(
      ItemRow,
      Prisma.sql`
        UPDATE job_item AS i SET claimed_until = ${SOON}
        FROM (
          SELECT due.job_id, due.scene_id, j.questions, j.created_at FROM job AS j
          CROSS JOIN LATERAL (
            SELECT p.job_id, p.scene_id FROM job_item AS p
            WHERE p.job_id = j.id AND p.state = 'PENDING' AND (p.claimed_until IS NULL OR p.claimed_until < CURRENT_TIMESTAMP)
            ORDER BY p.scene_id LIMIT ${limit}::int FOR UPDATE SKIP LOCKED
          ) AS due
          WHERE NOT j.paused AND j.cancelled_at IS NULL AND COALESCE(j.listing_until >= CURRENT_TIMESTAMP, true) AND ${MAX_OPEN}::int > (
            SELECT count(*) FROM job_run AS r JOIN segmentation AS s ON s.workspace_id = r.workspace_id AND s.id = r.segmentation_id
            WHERE r.job_id = j.id AND s.state IN ('QUEUED', 'RUNNING'))
          LIMIT ${limit}::int
        ) AS taken
        WHERE i.job_id = taken.job_id AND i.scene_id = taken.scene_id
        RETURNING i.job_id AS "jobId", i.workspace_id AS workspace, i.scene_id AS "sceneId", i.reference, taken.questions,
                  taken.created_at AS "askedAt"`,
    );
  }

  /** Says that a process still works on a scene. */
  async extend(item: ClaimedItem): Promise<void> {
    await settle(this.database, item, Prisma.sql`claimed_until = ${SOON}`);
  }

  /** Says that a scene is registered and asked about. */
  begun(item: ClaimedItem, windows: number, runs: readonly { id: string; reused: boolean }[]): Promise<void> {
    return this.database.transaction(async (queries) => {
      for (const { id, reused } of runs) {
        await queries.execute(Prisma.sql`
          INSERT INTO job_run (job_id, segmentation_id, workspace_id, scene_id, reused)
          VALUES (${item.jobId}::uuid, ${id}::uuid, ${item.workspace}::text, ${item.sceneId}::uuid, ${reused})
          ON CONFLICT DO NOTHING`);
      }
      await settle(queries, item, Prisma.sql`state = 'BEGUN', windows = ${windows}::int, claimed_until = NULL`);
    });
  }

  async failed(item: ClaimedItem, failure: { code: string; message: string }): Promise<void> {
    const { code, message } = failure;
    await settle(
      this.database,
      item,
      Prisma.sql`state = 'FAILED', failure_code = ${code}::text, failure_message = ${message}::text, claimed_until = NULL`,
    );
  }
}

/** Changes a scene that is still to be begun: what another process has begun meanwhile is not undone. */
async function settle(queries: Pick<Queries, 'execute'>, item: ClaimedItem, change: Prisma.Sql): Promise<void> {
  await queries.execute(Prisma.sql`
    UPDATE job_item SET ${change}
    WHERE job_id = ${item.jobId}::uuid AND scene_id = ${item.sceneId}::uuid AND state = 'PENDING'`);
}

function jobsSql({ scope }: Connections, condition: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT j.id, j.paused, j.cancelled_at IS NOT NULL AS cancelled, j.created_at AS "createdAt",
           j.listing_until IS NULL AS "isListed", COALESCE(j.listing_until < CURRENT_TIMESTAMP, false) AS incomplete,
           EXTRACT(EPOCH FROM CURRENT_TIMESTAMP - j.created_at)::float8 AS "elapsedS", items.*, runs.*
    FROM ${scope.rows('job')} AS j
    CROSS JOIN LATERAL (
      SELECT count(*)::float8 AS scenes, count(*) FILTER (WHERE i.state = 'PENDING')::float8 AS pending,
             count(*) FILTER (WHERE i.state = 'FAILED')::float8 AS "failedScenes",
             COALESCE(sum(i.windows) FILTER (WHERE i.state <> 'FAILED'), 0)::float8
               * COALESCE(jsonb_array_length(j.questions->'prompts'), 0) AS "windowsTotal"
      FROM job_item AS i WHERE i.job_id = j.id
    ) AS items
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE s.state = 'QUEUED')::float8 AS queued, count(*) FILTER (WHERE s.state = 'RUNNING')::float8 AS running,
             count(*) FILTER (WHERE s.state = 'SUCCEEDED')::float8 AS succeeded, count(*) FILTER (WHERE s.state = 'FAILED')::float8 AS failed,
             count(*) FILTER (WHERE s.state = 'CANCELLED')::float8 AS "cancelledRuns", count(*) FILTER (WHERE r.reused)::float8 AS reused,
             COALESCE(sum(done.windows), 0)::float8 AS "windowsDone",
             COALESCE(sum(done.windows) FILTER (WHERE r.reused), 0)::float8 AS "windowsReused"
      FROM job_run AS r
      JOIN segmentation AS s ON s.workspace_id = r.workspace_id AND s.id = r.segmentation_id
      JOIN job_item AS i ON i.job_id = r.job_id AND i.scene_id = r.scene_id
      CROSS JOIN LATERAL (
        SELECT CASE WHEN s.state IN ('QUEUED', 'RUNNING') THEN least(s.windows_done, i.windows) ELSE i.windows END AS windows
      ) AS done
      WHERE r.job_id = j.id
    ) AS runs
    WHERE ${condition}`;
}
