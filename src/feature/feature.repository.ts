import type { Geometry } from 'geojson';
import { z } from 'zod';
import { CountRow, OwnedCountRow } from '../database/sql/count-row.ts';
import { Prisma, type WorkspaceDatabase } from '../database/database.ts';
import { repairedGeometries, type RepairedGeometry } from '../database/sql/valid-geometry.ts';
import { pageOf, pagesByOwner, rowsOfPage } from '../database/sql/keyset.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Comparison } from './filter-cost.ts';
import type { Feature, FeatureNeighbour, GeometryFormat } from './feature.ts';
import type { FeatureFilter, FeatureOrder, NeighbourFilter } from './feature.filter.ts';
import { BOUNDED, conditionPartsSql, conditionSql } from './feature-condition.repository.ts';
import { compareNeighbours, countNeighbours, readNeighbours } from './feature-neighbour.repository.ts';
import { type FeaturePageSql, featurePageSql } from './feature-page.repository.ts';
import { FEATURE_COLUMNS, FeatureRow, SortedFeatureRow } from './feature.row.ts';
import { outlineSql } from './outline.repository.ts';
import { collectionGeoJson, featureGeoJson } from './feature-record.ts';
import { SortedRecordRow, recordColumnsSql } from './feature-record.repository.ts';
import type { AskedTexts, CollectionText, FeatureStore, OutlinedRecord, TextPage } from './feature.store.ts';
import { FeatureTextRow, featureTextSql, PlacedTextRow } from './feature-text.repository.ts';

const GeometryRow = z.object({ id: z.string(), outline: z.string() });

function placed({ feature, sortedBy }: z.infer<typeof SortedFeatureRow>, outlines: GeometryFormat | null) {
  const node = feature(outlines);
  return { node, position: { value: sortedBy, id: node.id } };
}

/** Features in PostGIS. */
export class FeatureRepository implements FeatureStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  async byId(id: string): Promise<Feature | null> {
    const [found] = await this.byIds([id]);
    return found ?? null;
  }

  /** Uses the primary key. */
  byIds(ids: readonly string[]): Promise<Feature[]> {
    return this.database.query(
      FeatureRow,
      Prisma.sql`SELECT ${FEATURE_COLUMNS}, NULL::float8 AS "distanceM" FROM ${this.database.scope.rows('feature')} AS f WHERE f.id = ANY(${uuidsSql(ids)})`,
    );
  }

  /** Uses the indexes of {@link featurePageSql}. */
  async find(
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
    outlines: GeometryFormat | null = null,
  ): Promise<Page<Feature>> {
    const asked = featurePageSql(this.database.scope, filter, order, page);
    const outline = outlines ? Prisma.sql`, ${outlineSql(outlines)} AS outline` : Prisma.empty;
    const rows = await this.proven(
      SortedFeatureRow,
      asked,
      ({ order: sorted, distance, body }, reach) => Prisma.sql`
        SELECT ${FEATURE_COLUMNS}, ${distance} AS "distanceM", ${sorted.value} AS "sortedBy" ${outline} ${reach} ${body}`,
    );
    return pageOf(rows, page, asked.order.name, (row) => placed(row, outlines));
  }

  /** Uses the indexes of {@link featurePageSql}; the database writes the texts, and nothing parses them here. */
  async findTexts(
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
    { fields, pageInfo }: AskedTexts,
  ): Promise<TextPage> {
    const asked = featurePageSql(this.database.scope, filter, order, page);
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

  /** Uses `feature_label` for each segmentation, and on the indexes of {@link featurePageSql}. */
  async findIn(
    segmentationIds: readonly string[],
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
  ): Promise<Map<string, Page<Feature>>> {
    const ofOwner = Prisma.sql`f.segmentation_id = owner.id`;
    const asked = featurePageSql(this.database.scope, filter, order, page, ofOwner);
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

  /** Uses the indexes of the conditions. */
  async count(filter: FeatureFilter): Promise<number> {
    const counts = conditionPartsSql(filter, this.database.scope).map(
      (condition) => Prisma.sql`(SELECT count(*) FROM ${this.database.scope.rows('feature')} AS f WHERE ${condition})`,
    );
    const [row] = await this.database.query(
      CountRow,
      Prisma.sql`SELECT (${Prisma.join(counts, ' + ')})::float8 AS count`,
    );
    return row?.count ?? 0;
  }

  /** Uses `feature_label` for each segmentation, or on the indexes of the conditions. */
  async countsIn(segmentationIds: readonly string[], filter: FeatureFilter): Promise<Map<string, number>> {
    const rows = await this.database.query(
      OwnedCountRow,
      Prisma.sql`
        SELECT owner.id AS "ownerId", (
          SELECT count(*) FROM ${this.database.scope.rows('feature')} AS f WHERE f.segmentation_id = owner.id AND ${conditionSql(filter, this.database.scope, BOUNDED)}
        )::float8 AS count
        FROM unnest(${uuidsSql(segmentationIds)}) AS owner (id)`,
    );
    return new Map(rows.map(({ ownerId, count }) => [ownerId, count]));
  }

  /** Uses the primary key. */
  async geometries(ids: readonly string[], format: GeometryFormat): Promise<Map<string, string>> {
    const rows = await this.database.query(
      GeometryRow,
      Prisma.sql`SELECT f.id, ${outlineSql(format)} AS outline FROM ${this.database.scope.rows('feature')} AS f WHERE f.id = ANY(${uuidsSql(ids)})`,
    );
    return new Map(rows.map(({ id, outline }) => [id, outline]));
  }

  /** Uses the same indexes as {@link find}, and those of {@link recordColumnsSql}; outlines are never parsed here. */
  async featureCollection(
    filter: FeatureFilter,
    order: FeatureOrder,
    limit: number,
    format: GeometryFormat,
  ): Promise<CollectionText> {
    const rows = await this.recordRows(featurePageSql(this.database.scope, filter, order, { first: limit }), format);
    const numberMatched = rows.length > limit ? await this.count(filter) : rows.length;
    const features = rows.slice(0, limit).map(({ record, outline }) => featureGeoJson(record, outline));
    return { text: collectionGeoJson(features, numberMatched), numberReturned: features.length, numberMatched };
  }

  /** Uses the same indexes as {@link featureCollection}. */
  async records(
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
    format: GeometryFormat,
  ): Promise<Page<OutlinedRecord>> {
    const asked = featurePageSql(this.database.scope, filter, order, page);
    const rows = await this.recordRows(asked, format);
    return pageOf(rows, page, asked.order.name, ({ record, outline, sortedBy }) => ({
      node: { record, outline },
      position: { value: sortedBy, id: record.id },
    }));
  }

  private recordRows(page: FeaturePageSql, format: GeometryFormat): Promise<z.infer<typeof SortedRecordRow>[]> {
    return this.proven(
      SortedRecordRow,
      page,
      ({ order: sorted, distance, body, proof }) => Prisma.sql`
        SELECT ${recordColumnsSql(this.database.scope, Prisma.sql`f.distance_m`)}, ${outlineSql(format)} AS outline,
               f.reach_m AS "reachM", f.sorted_by AS "sortedBy"
        FROM (
          SELECT row_number() OVER () AS place, page.* FROM (
            SELECT f.*, ${distance} AS distance_m, ${sorted.value} AS sorted_by,
                   ${proof?.reachM ?? Prisma.sql`NULL::float8`} AS reach_m ${body}
          ) AS page
        ) AS f JOIN ${this.database.scope.rows('segmentation')} AS s ON s.id = f.segmentation_id
        JOIN ${this.database.scope.rows('scene')} AS c ON c.id = f.scene_id ORDER BY f.place`,
    );
  }

  neighbours(
    ids: readonly string[],
    filter: NeighbourFilter,
    page: PageRequest,
  ): Promise<Map<string, Page<FeatureNeighbour>>> {
    return readNeighbours(this.database, ids, filter, page);
  }

  comparison(ids: readonly string[], withinM: number): Promise<Comparison> {
    return compareNeighbours(this.database, ids, withinM);
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

  repair(geometries: readonly Geometry[]): Promise<RepairedGeometry[]> {
    return repairedGeometries(this.database, geometries);
  }
}
