import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import type { Scope } from '../database/scope.ts';
import { keysetSql } from '../database/sql/keyset.ts';
import { conditionSql } from '../feature/feature-condition.repository.ts';
import { orderSql } from '../feature/feature-order.repository.ts';
import { distanceSql } from '../feature/feature-page.repository.ts';
import { FeatureRecordColumns, recordColumnsSql, toRecord } from '../feature/feature-record.repository.ts';
import { groundOutlineSql, simplifiedOutlineSql } from '../feature/outline.repository.ts';
import { ExportInterruptedError } from './export-errors.ts';
import { SimplifiedOutlines, type StoredOutline } from './simplified-outlines.ts';
import type { ExportRow, SceneFrame } from './export-row.ts';
import type { ChosenFeatures, ExportQuery, ExportStore } from './export.store.ts';

/** A batch ends at this many rows, and at this many bytes of stored outlines, so that memory stays flat. */
const BATCH_ROWS = 1000;
const BATCH_BYTES = 4 * 1024 ** 2;
/** 16 of the identifier, 4 of the size of the outline, 16 of the scene. */
const ENTRY_BYTES = 36;

const FrameColumns = z.object({
  widthPx: z.number(),
  heightPx: z.number(),
  crs: z.string().nullable(),
  affine: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]).nullable(),
});
const FramedRow = FeatureRecordColumns.extend({ frame: FrameColumns.nullable() }).transform(
  ({ frame, ...row }): ExportRow => ({ record: toRecord(row), outline: row.outline, frame: frame && frameOf(frame) }),
);

function frameOf({ crs, affine, ...size }: z.infer<typeof FrameColumns>): SceneFrame {
  return { ...size, georeference: crs === null || affine === null ? null : { crs, affine } };
}

const StoredOutlineRow = z.object({
  place: z.number(),
  outline: z.string(),
  pixelM: z.number(),
  eastM: z.number(),
  northM: z.number(),
});
const ChoiceRow = z.object({ entries: z.string().nullable(), withoutGeoreference: z.number() });
/**
 * Reads features for files. What matches is chosen by one statement, as identifiers in order, 36 bytes a feature; the
 * rows are read batch by batch as the reader takes them. So the filter and the order are worked out once, a slow reader
 * holds neither a transaction nor a connection (the embedded engine has but one), and features that are stored
 * meanwhile do not come into the file.
 */
export class FeatureExportRepository implements ExportStore {
  constructor(private readonly database: Queries) {}

  /**
   * Uses the indexes of the conditions and of the order; features without georeference are found in `feature_geometry_gist`,
   * which also holds missing geometries.
   */
  async choose(query: ExportQuery): Promise<ChosenFeatures> {
    const { filter, order, limit, byPrompt } = query;
    const withPixels = query.outline === 'FRAMED';
    const has = withPixels ? Prisma.sql`TRUE` : Prisma.sql`f.geometry IS NOT NULL`;
    const condition = conditionSql(filter, this.database.scope);
    // PostGIS sorts geometries along a Hilbert curve.
    const orderBy =
      order === 'PLACE'
        ? Prisma.sql`f.geometry, f.id`
        : keysetSql(orderSql(order, this.database.scope, distanceSql(filter)), { first: limit }).orderBy;
    const [choice] = await this.database.query(
      ChoiceRow,
      Prisma.sql`
        SELECT (
          SELECT encode(string_agg(uuid_send(chosen.id) || int4send(chosen.bytes) || uuid_send(chosen.scene_id), ''::bytea ORDER BY ${groupSql(byPrompt, this.database.scope)}, chosen.place), 'base64')
          FROM (
            SELECT f.id, f.segmentation_id, f.scene_id, pg_column_size(COALESCE(f.geometry, f.pixel_geometry)) AS bytes, row_number() OVER (ORDER BY ${orderBy}) AS place
            FROM ${this.database.scope.rows('feature')} AS f WHERE ${condition} AND ${has}
            ORDER BY place LIMIT ${limit}::int
          ) AS chosen
        ) AS entries,
        (SELECT count(*)::float8 FROM ${this.database.scope.rows('feature')} AS f WHERE ${condition} AND NOT ${has}) AS "withoutGeoreference"`,
    );
    const entries = Buffer.from(choice?.entries ?? '', 'base64');
    return {
      featureCount: entries.length / ENTRY_BYTES,
      withoutGeoreference: choice?.withoutGeoreference ?? 0,
      batches: () => this.batches(entries, query),
    };
  }

  private async *batches(entries: Buffer, query: ExportQuery): AsyncGenerator<readonly ExportRow[]> {
    const simplified = query.simplifyM > 0 ? await this.simplified(entries, query.simplifyM) : null;
    try {
      let at = 0;
      for (const ids of batchesOf(entries)) {
        yield await this.rows(ids, query, (await simplified?.read(at, ids.length)) ?? null);
        at += ids.length;
      }
    } finally {
      await simplified?.close();
    }
  }

  /** The outlines of all entries, simplified scene by scene. */
  private async simplified(entries: Buffer, simplifyM: number): Promise<SimplifiedOutlines> {
    const simplified = await SimplifiedOutlines.create(entries.length / ENTRY_BYTES);
    try {
      for (const indexes of indexesByScene(entries)) {
        const own = indexes.map((index) => entries.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES));
        const stored = new Map<number, StoredOutline>();
        let at = 0;
        for (const ids of batchesOf(Buffer.concat(own))) {
          for (const { place, ...outline } of await this.outlines(ids)) stored.set(indexes[at + place]!, outline);
          at += ids.length;
        }
        await simplified.add(stored, simplifyM);
      }
      return simplified;
    } catch (error) {
      await simplified.close();
      throw error;
    }
  }

  /** Uses the primary key. */
  private outlines(ids: readonly string[]): Promise<z.infer<typeof StoredOutlineRow>[]> {
    return this.database.query(
      StoredOutlineRow,
      Prisma.sql`
        SELECT chosen.place::int - 1 AS place, ST_AsGeoJSON(f.geometry, 15, 0) AS outline,
               sqrt(f.area_m2 / f.pixel_count) AS "pixelM", m.east AS "eastM", m.north AS "northM"
        FROM unnest(${`{${ids.join(',')}}`}::text::uuid[]) WITH ORDINALITY AS chosen(id, place)
        JOIN ${this.database.scope.rows('feature')} AS f ON f.id = chosen.id
        CROSS JOIN LATERAL metres_per_degree(ST_Y(f.centroid)) AS m
        WHERE f.geometry IS NOT NULL
        ORDER BY chosen.place`,
    );
  }

  /** Uses the primary keys of the tables, and the indexes of {@link recordColumnsSql}. */
  private async rows(
    ids: readonly string[],
    query: ExportQuery,
    outlines: readonly (string | null)[] | null,
  ): Promise<ExportRow[]> {
    const rows = await this.database.query(
      FramedRow,
      Prisma.sql`
        SELECT ${recordColumnsSql(this.database.scope, distanceSql(query.filter) ?? Prisma.sql`NULL::float8`)},
               ${outlineFormSql(query, outlines !== null)} AS outline, ${frameSql(query.outline === 'FRAMED')} AS frame
        FROM unnest(${`{${ids.join(',')}}`}::text::uuid[]) WITH ORDINALITY AS chosen(id, place)
        LEFT JOIN json_array_elements_text(${JSON.stringify(outlines ?? [])}::text::json)
          WITH ORDINALITY AS simplified(outline, place) ON simplified.place = chosen.place
        JOIN ${this.database.scope.rows('feature')} AS f ON f.id = chosen.id
        JOIN ${this.database.scope.rows('segmentation')} AS s ON s.id = f.segmentation_id
        JOIN ${this.database.scope.rows('scene')} AS c ON c.id = f.scene_id
        ORDER BY chosen.place`,
    );
    if (rows.length < ids.length) throw new ExportInterruptedError(ids.length - rows.length);
    return rows;
  }
}

/** What the chosen stand together by, before their order. */
function groupSql(byPrompt: boolean, scope: Scope): Prisma.Sql {
  if (!byPrompt) return Prisma.sql`NULL::text`;
  return Prisma.sql`(SELECT s.prompt FROM ${scope.rows('segmentation')} AS s WHERE s.id = chosen.segmentation_id) COLLATE "C"`;
}

function frameSql(isFramed: boolean): Prisma.Sql {
  if (!isFramed) return Prisma.sql`NULL::jsonb`;
  return Prisma.sql`jsonb_build_object('widthPx', c.width_px, 'heightPx', c.height_px, 'crs', c.crs, 'affine', c.geotransform)`;
}

/** An outline as it is written, the same in every form but for binary, which has the coordinates as they are stored. */
function outlineFormSql({ outline, precision }: ExportQuery, isSimplified: boolean): Prisma.Sql {
  const ground = isSimplified
    ? simplifiedOutlineSql(Prisma.sql`simplified.outline`, precision)
    : groundOutlineSql({ precision, simplifyM: 0 });
  if (outline === 'FRAMED')
    return Prisma.sql`ST_AsGeoJSON(COALESCE(${ground}, f.pixel_geometry), ${precision}::int, 0)`;
  if (outline === 'GEOJSON') return Prisma.sql`ST_AsGeoJSON(${ground}, ${precision}::int, 0)`;
  if (outline === 'WKT') return Prisma.sql`ST_AsText(${ground}, ${precision}::int)`;
  return Prisma.sql`encode(ST_AsBinary(${ground}, 'NDR'), 'base64')`;
}

/** Indexes of the entries of each scene. */
function indexesByScene(entries: Buffer): Iterable<readonly number[]> {
  const scenes = new Map<string, number[]>();
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const scene = entries.toString('latin1', at + 20, at + ENTRY_BYTES);
    const known = scenes.get(scene);
    if (known) known.push(at / ENTRY_BYTES);
    else scenes.set(scene, [at / ENTRY_BYTES]);
  }
  return scenes.values();
}

/** Identifiers of the entries, in order, cut where rows or bytes of a batch are full. */
function* batchesOf(entries: Buffer): Generator<string[]> {
  let ids: string[] = [];
  let bytes = 0;
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const size = entries.readUInt32BE(at + 16);
    if (ids.length === BATCH_ROWS || (ids.length > 0 && bytes + size > BATCH_BYTES)) {
      yield ids;
      ids = [];
      bytes = 0;
    }
    ids.push(entries.toString('hex', at, at + 16));
    bytes += size;
  }
  if (ids.length > 0) yield ids;
}
