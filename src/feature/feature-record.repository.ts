import { z } from 'zod';
import type { AttributeCondition, Scalar } from '../cql2/condition.ts';
import { attributeConditionSql } from '../database/sql/attribute-condition.ts';
import { Prisma } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { boxOf, REACH_M } from './feature.row.ts';
import type { FeatureRecord, Queryable } from './feature-record.ts';
import { MEASURES } from './measures.ts';
import { MEASURE_COLUMNS, measureSql, withMeasures } from './measures.repository.ts';
import { MEASURE_SHAPE } from './measures.schema.ts';
import { neighbourCountSql } from './neighbour-pairs.repository.ts';

/**
 * Columns of the record of a feature `f` of the scene `c` and the segmentation `s`, for {@link FeatureRecordColumns}. Uses both
 * indexes of `feature_adjacency` for the neighbours.
 * @param distance what `distanceM` is
 */
export function recordColumnsSql(scope: Scope, distance: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    f.id, f.scene_id AS "sceneId", c.name AS "sceneName", f.segmentation_id AS "segmentationId", s.prompt,
    s.model_id AS model, ${MEASURE_COLUMNS}, ${neighbourCountSql(scope)} AS "neighbourCount", ${distance} AS "distanceM",
    c.acquired_at AS "acquiredAt", s.finished_at AS "createdAt",
    ${updatedSql(Prisma.sql`s.finished_at`, scope)} AS "updatedAt", f.geometry IS NOT NULL AS georeferenced,
    ST_XMin(COALESCE(unwrapped(f.geometry), f.pixel_geometry)) AS "xMin",
    ST_YMin(COALESCE(f.geometry, f.pixel_geometry)) AS "yMin",
    ST_XMax(COALESCE(unwrapped(f.geometry), f.pixel_geometry)) AS "xMax",
    ST_YMax(COALESCE(f.geometry, f.pixel_geometry)) AS "yMax"`;
}

/** When the feature `f` last changed. Uses `review_current`. @param stored when it was stored */
function updatedSql(stored: Prisma.Sql, scope: Scope): Prisma.Sql {
  const reviewed = Prisma.sql`SELECT r.at FROM ${scope.rows('review')} AS r WHERE r.feature_id = f.id AND r.is_current`;
  return Prisma.sql`GREATEST(${stored}, (${reviewed}))`;
}

/** A row of {@link recordColumnsSql} with its outline. */
export const FeatureRecordColumns = z.object({
  id: z.string(),
  sceneId: z.string(),
  sceneName: z.string(),
  segmentationId: z.string(),
  prompt: z.string(),
  model: z.string(),
  ...MEASURE_SHAPE,
  neighbourCount: z.number(),
  distanceM: z.number().nullable(),
  acquiredAt: z.date().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  georeferenced: z.boolean(),
  xMin: z.number(),
  yMin: z.number(),
  xMax: z.number(),
  yMax: z.number(),
  outline: z.string(),
});

/**
 * A feature as a file has it, with its outline in the form that was read, the value that it is sorted by, and what
 * {@link REACH_M} tells of a page of the nearest.
 */
export const SortedRecordRow = FeatureRecordColumns.extend({
  reachM: REACH_M,
  sortedBy: z.number().nullable(),
}).transform((row) => ({ record: toRecord(row), outline: row.outline, reachM: row.reachM, sortedBy: row.sortedBy }));

/** Field by field, which is several times as quick as spreading a row. */
export function toRecord(row: z.infer<typeof FeatureRecordColumns>): FeatureRecord {
  const record = {
    id: row.id,
    sceneId: row.sceneId,
    sceneName: row.sceneName,
    segmentationId: row.segmentationId,
    prompt: row.prompt,
    model: row.model,
    neighbourCount: row.neighbourCount,
    distanceM: row.distanceM,
    acquiredAt: row.acquiredAt,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    bbox: boxOf(row),
  };
  return withMeasures(record, row);
}

type Owner = 'SEGMENTATION' | 'SCENE' | 'FEATURE';

/** Where each attribute stands, as an expression over the row `s` of its segmentation or scene, or the row `f` of the feature. */
const ATTRIBUTES: Readonly<
  Record<Exclude<Queryable, 'neighbourCount' | 'updatedAt'>, { readonly of: Owner; readonly sql: Prisma.Sql }>
> = {
  id: { of: 'FEATURE', sql: Prisma.sql`f.id::text` },
  sceneId: { of: 'FEATURE', sql: Prisma.sql`f.scene_id::text` },
  sceneName: { of: 'SCENE', sql: Prisma.sql`s.name` },
  segmentationId: { of: 'FEATURE', sql: Prisma.sql`f.segmentation_id::text` },
  prompt: { of: 'SEGMENTATION', sql: Prisma.sql`s.prompt` },
  model: { of: 'SEGMENTATION', sql: Prisma.sql`s.model_id` },
  ...(Object.fromEntries(
    MEASURES.map((measure) => [measure.name, { of: 'FEATURE', sql: measureSql(measure) }]),
  ) as Record<(typeof MEASURES)[number]['name'], { of: 'FEATURE'; sql: Prisma.Sql }>),
  acquiredAt: { of: 'SCENE', sql: Prisma.sql`s.acquired_at` },
  createdAt: { of: 'SEGMENTATION', sql: Prisma.sql`s.finished_at` },
};

function attributeOf(name: string, scope: Scope): { readonly of: Owner; readonly sql: Prisma.Sql } {
  if (name === 'neighbourCount') return { of: 'FEATURE', sql: neighbourCountSql(scope) };
  if (name === 'updatedAt') return { of: 'FEATURE', sql: updatedSql(lookedUpSql('createdAt', scope), scope) };
  return ATTRIBUTES[name as keyof typeof ATTRIBUTES];
}

/** The attribute of the feature `f`, looked up where it belongs to its segmentation or scene. */
function lookedUpSql(name: string, scope: Scope): Prisma.Sql {
  const { of, sql } = attributeOf(name, scope);
  if (of === 'FEATURE') return sql;
  return of === 'SCENE'
    ? Prisma.sql`(SELECT ${sql} FROM ${scope.rows('scene')} AS s WHERE s.id = f.scene_id)`
    : Prisma.sql`(SELECT ${sql} FROM ${scope.rows('segmentation')} AS s WHERE s.id = f.segmentation_id)`;
}

/**
 * A condition on attributes of the feature `f`. One about segmentations or scenes alone is answered once for them, and uses
 * `feature_label` and `feature_scene`.
 */
export function featureAttributeSql(condition: AttributeCondition, scope: Scope): Prisma.Sql {
  const owners = new Set(attributesIn(condition).map((name) => attributeOf(name, scope).of));
  const [owner] = owners;
  if (owners.size !== 1 || owner === 'FEATURE')
    return attributeConditionSql(condition, (name) => lookedUpSql(name, scope));
  const own = attributeConditionSql(condition, (name) => attributeOf(name, scope).sql);
  return owner === 'SCENE'
    ? Prisma.sql`f.scene_id = ANY(ARRAY(SELECT s.id FROM ${scope.rows('scene')} AS s WHERE ${own}))`
    : Prisma.sql`f.segmentation_id = ANY(ARRAY(SELECT s.id FROM ${scope.rows('segmentation')} AS s WHERE ${own}))`;
}

function attributesIn(condition: AttributeCondition): string[] {
  if ('compare' in condition) return [condition.left, condition.right].flatMap(namesIn);
  if ('like' in condition) return namesIn(condition.like);
  return namesIn('among' in condition ? condition.among : condition.missing);
}

function namesIn(scalar: Scalar): string[] {
  if ('attribute' in scalar) return [scalar.attribute];
  if ('value' in scalar) return [];
  return 'folding' in scalar ? namesIn(scalar.of) : scalar.operands.flatMap(namesIn);
}
