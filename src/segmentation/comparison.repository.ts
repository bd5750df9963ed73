import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import { insertNear } from './near-pairs.repository.ts';
import type { Uncompared } from './run.store.ts';
import { type StoredAdjacencyInput, UnknownFeatureLabelError } from './segmentation.store.ts';
import { insertTouching } from './touching-pairs.repository.ts';

/** Features of earlier answers that an answer is compared with at a time; a single answer may have more. */
const FEATURES_AT_A_TIME = 100;

const UncomparedRow = z.object({ id: z.string(), sceneId: z.string(), workspace: z.string(), below: z.number() });
const EarlierRow = z.object({ id: z.string(), number: z.number() });
const SceneRow = z.object({ georeferenced: z.boolean() });

/** Uses `segmentation_uncompared` and `segmentation_answer`. */
export async function readUncompared(
  queries: Queries,
  worker: number,
  without: ReadonlySet<string>,
): Promise<Uncompared | null> {
  const [next] = await queries.query(
    UncomparedRow,
    Prisma.sql`
      SELECT id, scene_id AS "sceneId", workspace_id AS workspace, uncompared_below AS below
      FROM segmentation WHERE uncompared_below > 0 AND id <> ALL(${uuidsSql([...without])})
      ORDER BY md5(scene_id::text || ${String(worker)}::text), id DESC LIMIT 1`,
  );
  if (!next) return null;
  const earlier = await queries.query(
    EarlierRow,
    Prisma.sql`
      SELECT id, answer_number AS number
      FROM (
        SELECT id, answer_number, sum(feature_count) OVER (ORDER BY answer_number DESC) AS features,
               row_number() OVER (ORDER BY answer_number DESC) AS nth
        FROM (
          SELECT id, answer_number, feature_count FROM segmentation
          WHERE scene_id = ${next.sceneId}::uuid AND answer_number < ${next.below}::int
          ORDER BY answer_number DESC LIMIT ${FEATURES_AT_A_TIME}::int
        ) AS latest
      ) AS counted
      WHERE nth = 1 OR features <= ${FEATURES_AT_A_TIME}::int ORDER BY answer_number DESC`,
  );
  return { ...next, earlier };
}

/**
 * Stores pairs of one answer with some earlier ones; must run in a transaction. The scene cannot be deleted meanwhile, and its answers
 * are deleted with it alone.
 * @see RunStore.storeComparison
 */
export async function storeComparison(
  queries: Queries,
  uncompared: Uncompared,
  adjacency: readonly StoredAdjacencyInput[],
  nearM: number,
): Promise<boolean> {
  const { id, sceneId, below, earlier } = uncompared;
  const [scene] = await queries.query(
    SceneRow,
    Prisma.sql`SELECT footprint IS NOT NULL AS georeferenced FROM scene WHERE id = ${sceneId}::uuid FOR KEY SHARE`,
  );
  if (!scene) return false;
  const ids = earlier.map((answer) => answer.id);
  const then = earlier.at(-1)?.number ?? 0;
  const taken = await queries.execute(Prisma.sql`
    UPDATE segmentation SET uncompared_below = ${then === 1 ? 0 : then}::int
    WHERE id = ${id}::uuid AND uncompared_below = ${below}::int`);
  if (taken === 0) return false;
  const touching = await insertTouching(queries, uncompared, adjacency, scene.georeferenced);
  if (touching !== adjacency.length) throw new UnknownFeatureLabelError(id, adjacency.length - touching);
  if (scene.georeferenced && ids.length > 0) await insertNear(queries, uncompared, nearM, ids);
  return true;
}
