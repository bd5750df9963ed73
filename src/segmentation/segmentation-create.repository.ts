import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { uuidV7 } from '../database/identifier.ts';
import { uuidsSql } from '../database/uuids.ts';
import { addJob } from './run-jobs.repository.ts';
import { SEGMENTATION_COLUMNS, SegmentationRow } from './segmentation.row.ts';
import type { NewSegmentation, Segmentation } from './segmentation.ts';
import { type CreateOptions, IdempotencyKeyReusedError } from './segmentation.store.ts';

const RequestRow = z.object({ argumentsSha256: z.string(), segmentationIds: z.string() });
const IdentityRow = z.object({ identity: z.string(), id: z.string() });

/**
 * See {@link SegmentationStore.create}; to be called in a transaction. Requests with one key, and for one work, wait for
 * one another. Leans on the primary key of `segment_request`, on `segment_request_created_at` and
 * `segmentation_identity`.
 */
export async function createSegmentations(
  queries: Queries,
  questions: readonly NewSegmentation[],
  { force, key }: CreateOptions,
): Promise<Segmentation[]> {
  if (key) {
    await lock(queries, [`key ${key.value}`]);
    const known = await answerOf(queries, key);
    if (known) return byIdsInOrder(queries, known);
  }
  const ids = force ? new Map<string, string>() : await sameWork(queries, questions);
  const batchId = uuidV7();
  const answer: string[] = [];
  const created: { readonly id: string; readonly question: NewSegmentation }[] = [];
  for (const question of questions) {
    const known = force ? undefined : ids.get(question.identity);
    const id = known ?? uuidV7();
    answer.push(id);
    ids.set(question.identity, id);
    if (known === undefined) created.push({ id, question });
  }
  if (created.length > 0) {
    await queries.prisma.segmentation.createMany({
      data: created.map(({ id, question }) => ({ ...rowOf(id, question, batchId), forced: force })),
    });
    await addJob(queries, { batchId, modelId: created[0]!.question.model.id }, false);
  }
  if (key) {
    await queries.execute(Prisma.sql`
      INSERT INTO segment_request (key, arguments_sha256, segmentation_ids)
      VALUES (${key.value}::text, ${key.argumentsSha256}::text, ${uuidsSql(answer)})`);
  }
  return byIdsInOrder(queries, answer);
}

/** @returns identifiers of the first answer; null for a key that is new, or was last used more than 24 hours ago */
async function answerOf(
  queries: Queries,
  { value, argumentsSha256 }: NonNullable<CreateOptions['key']>,
): Promise<string[] | null> {
  await queries.execute(Prisma.sql`
    DELETE FROM segment_request WHERE created_at < CURRENT_TIMESTAMP - interval '24 hours'`);
  const [known] = await queries.query(
    RequestRow,
    Prisma.sql`
      SELECT arguments_sha256 AS "argumentsSha256", array_to_json(segmentation_ids)::text AS "segmentationIds"
      FROM segment_request WHERE key = ${value}::text`,
  );
  if (!known) return null;
  if (known.argumentsSha256 !== argumentsSha256) throw new IdempotencyKeyReusedError(value);
  return z.array(z.string()).parse(JSON.parse(known.segmentationIds));
}

/** The newest segmentation of each identity that answers it or will: FAILED and CANCELLED ones do not. */
async function sameWork(queries: Queries, questions: readonly NewSegmentation[]): Promise<Map<string, string>> {
  const identities = [...new Set(questions.map(({ identity }) => identity))];
  const sceneId = questions[0]!.sceneId;
  await lock(queries, identities.map((identity) => `work ${sceneId} ${identity}`).toSorted());
  const rows = await queries.query(
    IdentityRow,
    Prisma.sql`
      SELECT DISTINCT ON (identity) identity, id FROM segmentation
      WHERE scene_id = ${sceneId}::uuid AND identity IN (${Prisma.join(identities)})
        AND state IN ('QUEUED', 'RUNNING', 'SUCCEEDED')
      ORDER BY identity, id DESC`,
  );
  return new Map(rows.map(({ identity, id }) => [identity, id]));
}

/** Until the end of the transaction no other holds a lock of the same name. */
async function lock(queries: Queries, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await queries.execute(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
  }
}

async function byIdsInOrder(queries: Queries, ids: readonly string[]): Promise<Segmentation[]> {
  const rows = await queries.query(
    SegmentationRow,
    Prisma.sql`SELECT ${SEGMENTATION_COLUMNS} FROM segmentation AS s WHERE s.id = ANY(${uuidsSql(ids)})`,
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

function rowOf(id: string, question: NewSegmentation, batchId: string): Prisma.SegmentationCreateManyInput {
  const { model, areaOfInterest, ...plain } = question;
  return {
    id,
    ...plain,
    batchId,
    modelId: model.id,
    modelName: model.name,
    modelVersion: model.version,
    modelSha256: model.sha256,
    modelWindowPx: model.windowPx,
    modelLicence: model.licence,
    areaOfInterest: areaOfInterest === null ? Prisma.DbNull : { ...areaOfInterest },
  };
}
