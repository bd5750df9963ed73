import type { Geometry } from 'geojson';
import { z } from 'zod';
import { decodeCursor, encodeCursor, pageOf } from '../database/cursor.ts';
import { Prisma, type Database } from '../database/database.ts';
import { isIdentifier, requireIdentifier } from '../database/identifier.ts';
import type { CountedPage, Page, PageRequest } from '../page.ts';
import { nearOf } from './check-filter.ts';
import type { Feature, FeatureNeighbour } from './feature.ts';
import type { FeatureFilter, FeatureOrder, NeighbourFilter } from './feature.filter.ts';
import { conditionSql, geometrySql } from './feature-condition.repository.ts';
import { orderSql } from './feature-order.repository.ts';
import { CountRow, FEATURE_COLUMNS, FeatureRow, NeighbourRow, outlineSql, SortedFeatureRow } from './feature.row.ts';
import type { FeatureStore, GeometryFormat } from './feature.store.ts';

const NEAREST = 'nearest';
const GeometryRow = z.object({ id: z.string(), outline: z.string() });
const TextRow = z.object({ text: z.string().nullable() });

/** Features in PostGIS. */
export class FeatureRepository implements FeatureStore {
  constructor(private readonly database: Database) {}

  async byId(id: string): Promise<Feature | null> {
    const [found] = await this.byIds([id]);
    return found ?? null;
  }

  /** Leans on the primary key. */
  byIds(ids: readonly string[]): Promise<Feature[]> {
    return this.database.query(
      FeatureRow,
      Prisma.sql`SELECT ${FEATURE_COLUMNS}, NULL::float8 AS "distanceM" FROM feature AS f WHERE f.id = ANY(${idsSql(ids)})`,
    );
  }

  /** Leans on the indexes of the conditions and on that of the order; the cursor is a place in the order. */
  async find(filter: FeatureFilter, order: FeatureOrder, { first, after }: PageRequest): Promise<Page<Feature>> {
    const distance = distanceSql(filter);
    const sorted = orderSql(order, distance);
    const rows = await this.database.query(
      SortedFeatureRow,
      Prisma.sql`
        SELECT ${FEATURE_COLUMNS}, ${distance ?? Prisma.sql`NULL::float8`} AS "distanceM", ${sorted.value} AS "sortedBy"
        FROM feature AS f
        WHERE ${conditionSql(filter)} ${after === null ? Prisma.empty : Prisma.sql`AND ${sorted.behind(after)}`}
        ORDER BY ${sorted.orderBy} LIMIT ${first + 1}::int`,
    );
    return pageOf(rows, first, ({ feature, sortedBy }) => ({
      node: feature,
      cursor: encodeCursor(sorted.name, { value: sortedBy, id: feature.id }),
    }));
  }

  /** Leans on the indexes of the conditions. */
  async count(filter: FeatureFilter): Promise<number> {
    const [row] = await this.database.query(
      CountRow,
      Prisma.sql`SELECT count(*)::float8 AS count FROM feature AS f WHERE ${conditionSql(filter)}`,
    );
    return row?.count ?? 0;
  }

  /** Leans on the primary key. */
  async geometries(ids: readonly string[], format: GeometryFormat): Promise<Map<string, string>> {
    const rows = await this.database.query(
      GeometryRow,
      Prisma.sql`SELECT f.id, ${outlineSql(format)} AS outline FROM feature AS f WHERE f.id = ANY(${idsSql(ids)})`,
    );
    return new Map(rows.map(({ id, outline }) => [id, outline]));
  }

  /** Leans on the same indexes as {@link find}; the text is put together by the database and never parsed here. */
  async featureCollection(
    filter: FeatureFilter,
    order: FeatureOrder,
    limit: number,
    format: GeometryFormat,
  ): Promise<string> {
    const distance = distanceSql(filter);
    const [row] = await this.database.query(
      TextRow,
      Prisma.sql`
        WITH f AS (
          SELECT f.*, ${distance ?? Prisma.sql`NULL::float8`} AS distance_m,
                 row_number() OVER (ORDER BY ${orderSql(order, distance).orderBy}) AS place
          FROM feature AS f WHERE ${conditionSql(filter)}
          ORDER BY place LIMIT ${limit}::int
        )
        SELECT json_build_object('type', 'FeatureCollection', 'features', COALESCE(json_agg(json_build_object(
          'type', 'Feature', 'id', f.id, 'geometry', ${outlineSql(format)}::json,
          'properties', json_build_object(
            'sceneId', f.scene_id, 'segmentationId', f.segmentation_id, 'prompt', s.prompt,
            'georeferenced', f.geometry IS NOT NULL, 'areaM2', f.area_m2, 'perimeterM', f.perimeter_m,
            'pixelCount', f.pixel_count, 'meanProbability', f.mean_probability, 'compactness', f.compactness,
            'bearingDeg', f.bearing_deg, 'distanceM', f.distance_m)
        ) ORDER BY f.place), '[]'::json))::text AS text
        FROM f JOIN segmentation AS s ON s.id = f.segmentation_id`,
    );
    return row?.text ?? '{"type":"FeatureCollection","features":[]}';
  }

  async neighbours(
    id: string,
    filter: NeighbourFilter,
    { first, after }: PageRequest,
  ): Promise<CountedPage<FeatureNeighbour>> {
    if (!isIdentifier(id)) return { edges: [], hasNextPage: false, totalCount: 0 };
    const pairs = filter.withinM === undefined ? storedPairsSql(id) : pairsWithinSql(id, filter.withinM);
    const wanted = neighbourConditionSql(filter);
    const rows = await this.database.query(
      NeighbourRow,
      Prisma.sql`
        WITH pair AS (${pairs})
        SELECT ${FEATURE_COLUMNS}, NULL::float8 AS "distanceM", pair.relation, pair.shared_border_m AS "sharedBorderM",
               pair.gap_m AS "gapM", bearing(pair.centroid, f.centroid) AS "neighbourBearingDeg"
        FROM pair JOIN feature AS f ON f.id = pair.id
        WHERE ${wanted} ${after === null ? Prisma.empty : behindNeighbourSql(after)}
        ORDER BY COALESCE(pair.gap_m, 0), f.id LIMIT ${first + 1}::int`,
    );
    const [total] = await this.database.query(
      CountRow,
      Prisma.sql`
        WITH pair AS (${pairs})
        SELECT count(*)::float8 AS count FROM pair JOIN feature AS f ON f.id = pair.id WHERE ${wanted}`,
    );
    const page = pageOf(rows, first, (node) => ({
      node,
      cursor: encodeCursor(NEAREST, { value: node.gapM ?? 0, id: node.node.id }),
    }));
    return { ...page, totalCount: total?.count ?? 0 };
  }

  async invalidReason(geometry: Geometry): Promise<string | null> {
    const given = geometrySql(geometry);
    const [row] = await this.database.query(
      TextRow,
      Prisma.sql`SELECT CASE WHEN NOT ST_IsValid(${given}) THEN ST_IsValidReason(${given}) END AS text`,
    );
    return row?.text ?? null;
  }
}

function idsSql(ids: readonly string[]): Prisma.Sql {
  return Prisma.sql`${`{${ids.filter(isIdentifier).join(',')}}`}::text::uuid[]`;
}

/** @returns geodesic distance of `f` to the geometry of the `near` condition; null without one */
function distanceSql(filter: FeatureFilter): Prisma.Sql | null {
  const near = nearOf(filter);
  return near ? Prisma.sql`ST_Distance(f.geometry::geography, ${geometrySql(near.geometry)}::geography)` : null;
}

/** Pairs are stored once; leans on the primary key from one side and on `feature_adjacency_b` from the other. */
function storedPairsSql(id: string): Prisma.Sql {
  return Prisma.sql`
    SELECT known.id, known.relation, known.shared_border_m, known.gap_m, origin.centroid
    FROM (
      SELECT feature_b AS id, relation, shared_border_m, gap_m FROM feature_adjacency WHERE feature_a = ${id}::uuid
      UNION ALL
      SELECT feature_a AS id, relation, shared_border_m, gap_m FROM feature_adjacency WHERE feature_b = ${id}::uuid
    ) AS known
    JOIN feature AS origin ON origin.id = ${id}::uuid`;
}

/** Leans on `feature_geography_gist`; what is stored of a pair is added by the primary key. */
function pairsWithinSql(id: string, withinM: number): Prisma.Sql {
  return Prisma.sql`
    SELECT other.id, COALESCE(known.relation, CASE WHEN measured.gap_m = 0 THEN 'TOUCHES' ELSE 'NEAR' END) AS relation,
           known.shared_border_m, COALESCE(known.gap_m, measured.gap_m) AS gap_m, origin.centroid
    FROM feature AS origin
    JOIN feature AS other
      ON other.id <> origin.id AND ST_DWithin(other.geometry::geography, origin.geometry::geography, ${withinM}::float8)
    CROSS JOIN LATERAL (
      SELECT ST_Distance(other.geometry::geography, origin.geometry::geography) AS gap_m
    ) AS measured
    LEFT JOIN feature_adjacency AS known
      ON known.feature_a = LEAST(origin.id, other.id) AND known.feature_b = GREATEST(origin.id, other.id)
    WHERE origin.id = ${id}::uuid`;
}

function neighbourConditionSql({ relation, inSegmentationId }: NeighbourFilter): Prisma.Sql {
  const conditions = [Prisma.sql`TRUE`];
  if (relation !== undefined) conditions.push(Prisma.sql`pair.relation = ${relation}::text`);
  if (inSegmentationId !== undefined) {
    const segmentationId = requireIdentifier('inSegmentationId', inSegmentationId);
    conditions.push(Prisma.sql`f.segmentation_id = ${segmentationId}::uuid`);
  }
  return Prisma.join(conditions, ' AND ');
}

function behindNeighbourSql(cursor: string): Prisma.Sql {
  const { value, id } = decodeCursor(NEAREST, cursor);
  return Prisma.sql`AND (COALESCE(pair.gap_m, 0), f.id) > (${value}::float8, ${id}::uuid)`;
}
