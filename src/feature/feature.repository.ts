import type { Geometry } from 'geojson';
import { z } from 'zod';
import { CountRow, OwnedCountRow } from '../database/count-row.ts';
import { Prisma, type Database } from '../database/database.ts';
import { pageOf, pagesByOwner, rowsOfPage } from '../database/keyset.ts';
import { uuidsSql } from '../database/uuids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Feature, FeatureNeighbour, GeometryFormat } from './feature.ts';
import type { FeatureFilter, FeatureOrder, NeighbourFilter } from './feature.filter.ts';
import { BOUNDED, conditionPartsSql, conditionSql } from './feature-condition.repository.ts';
import { countNeighbours, readNeighbours } from './feature-neighbour.repository.ts';
import { type FeaturePageSql, featurePageSql } from './feature-page.repository.ts';
import { FEATURE_COLUMNS, FeatureRow, outlineSql, REACH_M, SortedFeatureRow } from './feature.row.ts';
import type { AskedTexts, FeatureStore, RepairedGeometry, TextPage } from './feature.store.ts';
import { FeatureTextRow, featureTextSql, PlacedTextRow } from './feature-text.repository.ts';
import { parseGeometry } from '../geojson-geometry.ts';

const GeometryRow = z.object({ id: z.string(), outline: z.string() });
const TextRow = z.object({ text: z.string().nullable(), reachM: REACH_M });
const RepairedRow = z.object({
  place: z.number(),
  repaired: z.string().transform((text) => parseGeometry(JSON.parse(text), Infinity)),
  reason: z.string(),
});

function placed({ feature, sortedBy }: z.infer<typeof SortedFeatureRow>, outlines: GeometryFormat | null) {
  const node = feature(outlines);
  return { node, position: { value: sortedBy, id: node.id } };
}

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
      Prisma.sql`SELECT ${FEATURE_COLUMNS}, NULL::float8 AS "distanceM" FROM feature AS f WHERE f.id = ANY(${uuidsSql(ids)})`,
    );
  }

  /** Leans on the indexes of {@link featurePageSql}. */
  async find(
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
    outlines: GeometryFormat | null = null,
  ): Promise<Page<Feature>> {
    const asked = featurePageSql(filter, order, page);
    const outline = outlines ? Prisma.sql`, ${outlineSql(outlines)} AS outline` : Prisma.empty;
    const rows = await this.proven(
      SortedFeatureRow,
      asked,
      ({ order: sorted, distance, body }, reach) => Prisma.sql`
        SELECT ${FEATURE_COLUMNS}, ${distance} AS "distanceM", ${sorted.value} AS "sortedBy" ${outline} ${reach} ${body}`,
    );
    return pageOf(rows, page, asked.order.name, (row) => placed(row, outlines));
  }

  /** Leans on the indexes of {@link featurePageSql}; the texts are put together by the database and never parsed here. */
  async findTexts(
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
    { fields, pageInfo }: AskedTexts,
  ): Promise<TextPage> {
    const asked = featurePageSql(filter, order, page);
    if (!pageInfo) {
      const rows = await this.proven(
        FeatureTextRow,
        asked,
        ({ distance, body }, reach) => Prisma.sql`SELECT ${featureTextSql(fields, distance)} AS text ${reach} ${body}`,
      );
      return { texts: rowsOfPage(rows, page).map((row) => row.text), page: null };
    }
    const rows = await this.proven(
      PlacedTextRow,
      asked,
      ({ order: sorted, distance, body }, reach) => Prisma.sql`
        SELECT f.id, ${sorted.value} AS "sortedBy", ${featureTextSql(fields, distance)} AS text ${reach} ${body}`,
    );
    const placedTexts = pageOf(rows, page, asked.order.name, (row) => ({
      node: row.text,
      position: { value: row.sortedBy, id: row.id },
    }));
    return { texts: placedTexts.edges.map(({ node }) => node), page: placedTexts };
  }

  /** Leans on `feature_label` for each segmentation, and on the indexes of {@link featurePageSql}. */
  async findIn(
    segmentationIds: readonly string[],
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
  ): Promise<Map<string, Page<Feature>>> {
    const scope = Prisma.sql`f.segmentation_id = owner.id`;
    const asked = featurePageSql(filter, order, page, scope);
    const rows = await this.proven(
      SortedFeatureRow,
      asked,
      ({ order: sorted, distance, body }, reach) => Prisma.sql`
        SELECT found.* FROM unnest(${uuidsSql(segmentationIds)}) AS owner (id)
        CROSS JOIN LATERAL (
          SELECT row_number() OVER () AS place, page.* FROM (
            SELECT ${FEATURE_COLUMNS}, ${distance} AS "distanceM", ${sorted.value} AS "sortedBy" ${reach} ${body}
          ) AS page
        ) AS found ORDER BY found.place`,
      Infinity,
    );
    return pagesByOwner(segmentationIds, rows, page, asked.order.name, (row) => placed(row, null));
  }

  /** Leans on the indexes of the conditions. */
  async count(filter: FeatureFilter): Promise<number> {
    const counts = conditionPartsSql(filter).map(
      (condition) => Prisma.sql`(SELECT count(*) FROM feature AS f WHERE ${condition})`,
    );
    const [row] = await this.database.query(
      CountRow,
      Prisma.sql`SELECT (${Prisma.join(counts, ' + ')})::float8 AS count`,
    );
    return row?.count ?? 0;
  }

  /** Leans on `feature_label` for each segmentation, or on the indexes of the conditions. */
  async countsIn(segmentationIds: readonly string[], filter: FeatureFilter): Promise<Map<string, number>> {
    const rows = await this.database.query(
      OwnedCountRow,
      Prisma.sql`
        SELECT owner.id AS "ownerId", (
          SELECT count(*) FROM feature AS f WHERE f.segmentation_id = owner.id AND ${conditionSql(filter, BOUNDED)}
        )::float8 AS count
        FROM unnest(${uuidsSql(segmentationIds)}) AS owner (id)`,
    );
    return new Map(rows.map(({ ownerId, count }) => [ownerId, count]));
  }

  /** Leans on the primary key. */
  async geometries(ids: readonly string[], format: GeometryFormat): Promise<Map<string, string>> {
    const rows = await this.database.query(
      GeometryRow,
      Prisma.sql`SELECT f.id, ${outlineSql(format)} AS outline FROM feature AS f WHERE f.id = ANY(${uuidsSql(ids)})`,
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
    const [row] = await this.proven(
      TextRow,
      featurePageSql(filter, order, { first: limit }),
      ({ distance, body, proof }) => Prisma.sql`
        WITH f AS (
          SELECT row_number() OVER () AS place, page.*
          FROM (SELECT f.*, ${distance} AS distance_m, ${proof?.reachM ?? Prisma.sql`NULL::float8`} AS reach_m ${body}) AS page
          LIMIT ${limit}::int
        )
        SELECT json_build_object('type', 'FeatureCollection', 'features', COALESCE(json_agg(json_build_object(
          'type', 'Feature', 'id', f.id, 'geometry', ${outlineSql(format)}::json,
          'properties', json_build_object(
            'sceneId', f.scene_id, 'segmentationId', f.segmentation_id, 'prompt', s.prompt,
            'georeferenced', f.geometry IS NOT NULL, 'areaM2', f.area_m2, 'perimeterM', f.perimeter_m,
            'pixelCount', f.pixel_count, 'meanProbability', f.mean_probability, 'compactness', f.compactness,
            'bearingDeg', f.bearing_deg, 'distanceM', f.distance_m)
        ) ORDER BY f.place), '[]'::json))::text AS text, max(f.reach_m) AS "reachM"
        FROM f JOIN segmentation AS s ON s.id = f.segmentation_id`,
    );
    return row?.text ?? '{"type":"FeatureCollection","features":[]}';
  }

  neighbours(
    ids: readonly string[],
    filter: NeighbourFilter,
    page: PageRequest,
  ): Promise<Map<string, Page<FeatureNeighbour>>> {
    return readNeighbours(this.database, ids, filter, page);
  }

  neighbourCounts(ids: readonly string[], filter: NeighbourFilter): Promise<Map<string, number>> {
    return countNeighbours(this.database, ids, filter);
  }

  /**
   * Reads rows of a page. Where the index did not prove that they are the nearest, they are read once more by measuring every
   * feature as far as they reach.
   * @param statement given the column that {@link REACH_M} reads, behind a comma, or nothing
   * @param reachM to measure that far instead, for pages of several owners
   */
  private async proven<Row extends { readonly reachM?: number | null | undefined }>(
    row: z.ZodType<Row>,
    page: FeaturePageSql,
    statement: (page: FeaturePageSql, reach: Prisma.Sql) => Prisma.Sql,
    reachM?: number,
  ): Promise<Row[]> {
    const { proof } = page;
    const rows = await this.database.query(
      row,
      statement(page, proof ? Prisma.sql`, ${proof.reachM} AS "reachM"` : Prisma.empty),
    );
    const reaches = rows.flatMap((read) => read.reachM ?? []);
    if (!proof || reaches.length === 0) return rows;
    return this.database.query(row, statement(proof.measured(reachM ?? Math.max(...reaches)), Prisma.empty));
  }

  /** By the structure of the rings: shells are joined, holes are cut out, and what has no area stays as line or point. */
  async repair(geometries: readonly Geometry[]): Promise<RepairedGeometry[]> {
    if (geometries.length === 0) return [];
    const rows = await this.database.query(
      RepairedRow,
      Prisma.sql`
        SELECT given.place::int AS place, ST_IsValidReason(given.geometry) AS reason,
               ST_AsGeoJSON(ST_MakeValid(given.geometry, 'method=structure keepcollapsed=true'), 15, 0) AS repaired
        FROM (
          SELECT g.place, ST_GeomFromGeoJSON(g.text) AS geometry
          FROM json_array_elements_text(${JSON.stringify(geometries)}::text::json) WITH ORDINALITY AS g (text, place)
        ) AS given
        WHERE NOT ST_IsValid(given.geometry)`,
    );
    return rows.flatMap(({ place, repaired, reason }) => {
      const given = geometries[place - 1];
      return given ? [{ given, repaired, reason }] : [];
    });
  }
}
