import { CountRow, OwnedCountRow } from '../database/sql/count-row.ts';
import { Prisma, type Queries } from '../database/database.ts';
import { requireIdentifier } from '../database/sql/identifier.ts';
import { type KeysetColumns, keysetSql, pageOf, pagesByOwner } from '../database/sql/keyset.ts';
import { answersSearchSql } from '../database/sql/text-search.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import type { Page, PageRequest } from '../page.ts';
import { SEGMENTATION_COLUMNS, SegmentationRow } from './segmentation.row.ts';
import type { Segmentation } from './segmentation.ts';
import type { SegmentationFilter } from './segmentation.store.ts';

/** Newest first: identifiers are ordered by time. */
const NEWEST: KeysetColumns = { name: 'newest', id: Prisma.sql`s.id`, key: null, descending: true };

const edgeOf = (node: Segmentation) => ({ node, position: { value: null, id: node.id } });

/**
 * Uses `segmentation_scene` with a scene, `segmentation_prompt_words` and `segmentation_prompt_trigrams` with a
 * search, else walks the primary key.
 */
export async function listSegmentations(
  queries: Queries,
  filter: SegmentationFilter,
  page: PageRequest,
): Promise<Page<Segmentation>> {
  const { between, orderBy, limit } = keysetSql(NEWEST, page);
  const rows = await queries.query(
    SegmentationRow,
    Prisma.sql`
      SELECT ${SEGMENTATION_COLUMNS} FROM ${queries.scope.rows('segmentation')} AS s
      WHERE ${conditionSql(filter)} AND ${between} ORDER BY ${orderBy} LIMIT ${limit}::int`,
  );
  return pageOf(rows, page, NEWEST.name, edgeOf);
}

export async function countSegmentations(queries: Queries, filter: SegmentationFilter): Promise<number> {
  const [row] = await queries.query(
    CountRow,
    Prisma.sql`SELECT count(*)::float8 AS count FROM ${queries.scope.rows('segmentation')} AS s WHERE ${conditionSql(filter)}`,
  );
  return row?.count ?? 0;
}

/** Uses `segmentation_scene`, once for each scene. */
export async function listSegmentationsOf(
  queries: Queries,
  sceneIds: readonly string[],
  page: PageRequest,
): Promise<Map<string, Page<Segmentation>>> {
  const { between, orderBy, limit } = keysetSql(NEWEST, page);
  const rows = await queries.query(
    SegmentationRow,
    Prisma.sql`
      SELECT ${SEGMENTATION_COLUMNS} FROM unnest(${uuidsSql(sceneIds)}) AS owner (id)
      CROSS JOIN LATERAL (
        SELECT * FROM ${queries.scope.rows('segmentation')} AS s WHERE s.scene_id = owner.id AND ${between} ORDER BY ${orderBy} LIMIT ${limit}::int
      ) AS s
      ORDER BY ${orderBy}`,
  );
  const owned = rows.map((segmentation) => ({ ownerId: segmentation.sceneId, segmentation }));
  return pagesByOwner(sceneIds, owned, page, NEWEST.name, ({ segmentation }) => edgeOf(segmentation));
}

/** Uses `segmentation_scene`. */
export async function countSegmentationsOf(
  queries: Queries,
  sceneIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await queries.query(
    OwnedCountRow,
    Prisma.sql`
      SELECT owner.id AS "ownerId", (SELECT count(*) FROM ${queries.scope.rows('segmentation')} AS s WHERE s.scene_id = owner.id)::float8 AS count
      FROM unnest(${uuidsSql(sceneIds)}) AS owner (id)`,
  );
  return new Map(rows.map(({ ownerId, count }) => [ownerId, count]));
}

function conditionSql(filter: SegmentationFilter): Prisma.Sql {
  const { ids, sceneId, state, promptContains, modelId, targetFound, created } = filter;
  const conditions = [Prisma.sql`TRUE`];
  if (ids !== undefined) conditions.push(Prisma.sql`s.id = ANY(${uuidsSql(ids)})`);
  if (sceneId !== undefined) conditions.push(Prisma.sql`s.scene_id = ${requireIdentifier('sceneId', sceneId)}::uuid`);
  if (state !== undefined) conditions.push(Prisma.sql`s.state = ${state}::text`);
  if (promptContains !== undefined) conditions.push(answersSearchSql(Prisma.sql`s.prompt`, promptContains));
  if (modelId !== undefined) conditions.push(Prisma.sql`s.model_id = ${modelId}::text`);
  if (targetFound !== undefined) conditions.push(Prisma.sql`s.target_found = ${targetFound}::boolean`);
  if (created?.from) conditions.push(Prisma.sql`s.created_at >= ${created.from}::timestamptz`);
  if (created?.to) conditions.push(Prisma.sql`s.created_at <= ${created.to}::timestamptz`);
  return Prisma.join(conditions, ' AND ');
}
