import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { uuidV7 } from '../database/sql/identifier.ts';
import { requireRoom } from '../database/sql/stock.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import { currentTraceparent } from '../telemetry/tracing.ts';
import { addJob } from './run-jobs.repository.ts';
import { SEGMENTATION_COLUMNS, SegmentationRow } from './segmentation.row.ts';
import type { NewSegmentation, Segmentation } from './segmentation.ts';
import { type CreateOptions, IdempotencyKeyReusedError } from './segmentation.store.ts';

const RequestRow = z.object({ argumentsSha256: z.string(), segmentationIds: z.string() });
const WorkKeyRow = z.object({ workKey: z.string(), id: z.string() });

/**
 * See {@link SegmentationStore.create}; must run in a transaction. Requests with the same idempotency key or work key wait
 * for one another. Uses the primary key of `segment_request`, `segment_request_created_at` and
 * `segmentation_identity`.
 */
export async function createSegmentations(
  queries: Queries,
  questions: readonly NewSegmentation[],
  { force, key, windows = 0, quotas }: CreateOptions,
): Promise<Segmentation[]> {
  if (key) {
    await lock(queries, [`key ${queries.workspace} ${key.value}`]);
    const known = await answerOf(queries, key);
    if (known) return byIdsInOrder(queries, known);
  }
  const ids = force ? new Map<string, string>() : await sameWork(queries, questions);
  const batchId = uuidV7();
  const answer: string[] = [];
  const created: { readonly id: string; readonly question: NewSegmentation }[] = [];
  for (const question of questions) {
    const known = force ? undefined : ids.get(question.workKey);
    const id = known ?? uuidV7();
    answer.push(id);
    ids.set(question.workKey, id);
    if (known === undefined) created.push({ id, question });
  }
  if (created.length > 0) {
    const [limit, argument] = [quotas?.WAITING_WINDOWS, 'prompts'];
    await requireRoom(queries, 'WAITING_WINDOWS', created.length * windows, { limit, argument });
    await requireRoom(queries, 'FEATURES', 1, { limit: quotas?.FEATURES, argument });
    await insertQuestions(queries, created, { batchId, force, windows });
    await addJob(queries, { batchId, modelId: created[0]!.question.model.id, workspace: queries.workspace }, false);
  }
  if (key) {
    await queries.execute(Prisma.sql`
      INSERT INTO segment_request (workspace_id, key, arguments_sha256, segmentation_ids)
      VALUES (${queries.workspace}::text, ${key.value}::text, ${key.argumentsSha256}::text, ${uuidsSql(answer)})`);
  }
  return byIdsInOrder(queries, answer);
}

/** @returns identifiers of the first answer; null for a key that is new or older than 24 hours */
async function answerOf(
  queries: Queries,
  { value, argumentsSha256 }: NonNullable<CreateOptions['key']>,
): Promise<string[] | null> {
  await queries.execute(Prisma.sql`
    DELETE FROM segment_request WHERE ${queries.scope.owns('segment_request')} AND created_at < CURRENT_TIMESTAMP - interval '24 hours'`);
  const [known] = await queries.query(
    RequestRow,
    Prisma.sql`
      SELECT arguments_sha256 AS "argumentsSha256", array_to_json(segmentation_ids)::text AS "segmentationIds"
      FROM ${queries.scope.rows('segment_request')} AS segment_request WHERE key = ${value}::text`,
  );
  if (!known) return null;
  if (known.argumentsSha256 !== argumentsSha256) throw new IdempotencyKeyReusedError(value);
  return z.array(z.string()).parse(JSON.parse(known.segmentationIds));
}

/** The newest segmentation of each work key that is queued, running or answered. */
async function sameWork(queries: Queries, questions: readonly NewSegmentation[]): Promise<Map<string, string>> {
  const keys = [...new Set(questions.map(({ workKey }) => workKey))];
  const sceneId = questions[0]!.sceneId;
  await lock(queries, keys.map((key) => `work ${sceneId} ${key}`).toSorted());
  const rows = await queries.query(
    WorkKeyRow,
    Prisma.sql`
      SELECT DISTINCT ON (identity) identity AS "workKey", id FROM ${queries.scope.rows('segmentation')} AS segmentation
      WHERE scene_id = ${sceneId}::uuid AND identity IN (${Prisma.join(keys)})
        AND state IN ('QUEUED', 'RUNNING', 'SUCCEEDED')
      ORDER BY identity, id DESC`,
  );
  return new Map(rows.map(({ workKey, id }) => [workKey, id]));
}

/** Takes locks by name until the end of the transaction. */
async function lock(queries: Queries, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await queries.execute(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
  }
}

async function byIdsInOrder(queries: Queries, ids: readonly string[]): Promise<Segmentation[]> {
  const rows = await queries.query(
    SegmentationRow,
    Prisma.sql`SELECT ${SEGMENTATION_COLUMNS} FROM ${queries.scope.rows('segmentation')} AS s WHERE s.id = ANY(${uuidsSql(ids)})`,
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

async function insertQuestions(
  queries: Queries,
  created: readonly { readonly id: string; readonly question: NewSegmentation }[],
  { batchId, force, windows }: { readonly batchId: string; readonly force: boolean; readonly windows: number },
): Promise<void> {
  const rows = created.map(({ id, question: { model, ...question } }) => ({
    id,
    ...question,
    modelId: model.id,
    modelName: model.name,
    modelVersion: model.version,
    modelSha256: model.sha256,
    modelWindowPx: model.windowPx,
    modelLicence: model.licence,
  }));
  await queries.execute(Prisma.sql`
    INSERT INTO segmentation (workspace_id, id, scene_id, batch_id, identity, forced, prompt, task, model_id, model_name,
                              model_version, model_sha256, model_window_px, model_licence, scale, gsd_m, threshold,
                              min_area_m2, area_of_interest, traceparent, windows_planned)
    SELECT ${queries.workspace}::text, r.id, r."sceneId", ${batchId}::uuid, r."workKey", ${force}::boolean, r.prompt, r.task,
           r."modelId", r."modelName", r."modelVersion", r."modelSha256", r."modelWindowPx", r."modelLicence", r.scale,
           r."gsdM", r.threshold, r."minAreaM2", r."areaOfInterest", ${currentTraceparent()}::text, ${windows}::int
    FROM json_to_recordset(${JSON.stringify(rows)}::text::json)
      AS r (id uuid, "sceneId" uuid, "workKey" text, prompt text, task text, "modelId" text, "modelName" text,
            "modelVersion" text, "modelSha256" text, "modelWindowPx" int, "modelLicence" text, scale text, "gsdM" float8,
            threshold float8, "minAreaM2" float8, "areaOfInterest" jsonb)`);
}
