import type { Geometry } from 'geojson';
import { z } from 'zod';
import { Prisma, type WorkspaceDatabase, type Queries } from '../database/database.ts';
import { repairedGeometries, type RepairedGeometry } from '../database/sql/valid-geometry.ts';
import { CountRow } from '../database/sql/count-row.ts';
import { StoredPolygon } from '../geojson-geometry.ts';
import { isIdentifier, uuidV7 } from '../database/sql/identifier.ts';
import { type KeysetColumns, keysetSql, pageOf } from '../database/sql/keyset.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import { containing, searchText } from '../database/sql/text-search.ts';
import type { Affine } from '../raster/affine.ts';
import type { CountedPage, PageRequest } from '../page.ts';
import type { RemoteReference } from '../remote/remote-files.ts';
import { plainText } from '../plain-text.ts';
import { sceneConditionSql } from './scene-condition.repository.ts';
import type { SceneExtent, SceneFilter, SceneStore } from './scene.service.ts';
import type { NewScene, Scene } from './scene.ts';

/** Newest first: identifiers are ordered by time. */
const NEWEST: KeysetColumns = { name: 'newest', id: Prisma.sql`id`, key: null, descending: true };

/** Longest stored origin and CRS text, characters. */
const MAX_SOURCE = 5000;
const MAX_CRS = 100_000;

const COLUMNS = Prisma.sql`
  id, name, source, sha256, width_px AS "widthPx", height_px AS "heightPx", bands, dtype, nodata::text AS nodata, crs,
  geotransform AS affine, gsd_m AS "gsdM", ST_AsGeoJSON(footprint, 15, 0) AS footprint, area_m2 AS "areaM2",
  rgb_bands AS "rgbBands", stretch, collar, blob_key AS "blobKey", remote, attribution, acquired_at AS "acquiredAt", created_at AS "createdAt",
  keep_until AS "keepUntil", image_deleted_at AS "imageDeletedAt"`;

const number = z.number();
const GeotransformColumn: z.ZodType<Affine> = z.tuple([number, number, number, number, number, number]);

const RemoteColumn: z.ZodType<RemoteReference> = z.object({
  url: z.string(),
  etag: z.string(),
  sizeBytes: number,
  item: z.object({ url: z.string(), asset: z.string() }).optional(),
});

const SceneRow: z.ZodType<Scene> = z.object({
  id: z.string(),
  name: z.string(),
  source: z.string(),
  sha256: z.string(),
  widthPx: number,
  heightPx: number,
  bands: number,
  dtype: z.string(),
  // as text: NaN and the infinities, which it may be, are not numbers to the row parser
  nodata: z.string().transform(Number).nullable(),
  crs: z.string().nullable(),
  affine: GeotransformColumn.nullable(),
  gsdM: number.nullable(),
  footprint: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(StoredPolygon)
    .nullable(),
  areaM2: number.nullable(),
  rgbBands: z.array(number),
  stretch: z.array(z.object({ min: number, max: number })).nullable(),
  collar: z
    .object({ value: number, tolerance: number, picture: z.array(z.tuple([number, number])), share: number })
    .nullable(),
  blobKey: z.string().nullable(),
  remote: RemoteColumn.nullable(),
  attribution: z.string().nullable(),
  acquiredAt: z.date().nullable(),
  createdAt: z.date(),
  keepUntil: z.date().nullable(),
  imageDeletedAt: z.date().nullable(),
});

const ExtentRow = z
  .object({
    west: number.nullable(),
    south: number.nullable(),
    east: number.nullable(),
    north: number.nullable(),
    from: z.date().nullable(),
    to: z.date().nullable(),
  })
  .transform(({ west, south, east, north, from, to }): SceneExtent => {
    const isEmpty = west === null || south === null || east === null || north === null;
    return { box: isEmpty ? null : [west, south, east, north], from, to };
  });

/** Scenes in PostGIS. */
export class SceneRepository implements SceneStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  /** The area is geodesic, by PostGIS. A row that cannot be read back is not kept. */
  insert(scene: NewScene, id: string = uuidV7(), sizeBytes: number | null = null): Promise<Scene> {
    return this.database.transaction((queries) => insertScene(queries, scene, id, sizeBytes));
  }

  async byId(id: string): Promise<Scene | null> {
    const [found] = await this.byIds([id]);
    return found ?? null;
  }

  /** Uses the primary key. */
  byIds(ids: readonly string[]): Promise<Scene[]> {
    return this.database.query(
      SceneRow,
      Prisma.sql`SELECT ${COLUMNS} FROM ${this.database.scope.rows('scene')} AS scene WHERE id = ANY(${uuidsSql(ids)})`,
    );
  }

  /** Walks the primary key; `intersects` uses `scene_footprint_gist`. */
  async list(filter: SceneFilter, page: PageRequest): Promise<CountedPage<Scene>> {
    const condition = conditionSql(filter);
    const { between, orderBy, limit } = keysetSql(NEWEST, page);
    const rows = await this.database.query(
      SceneRow,
      Prisma.sql`SELECT ${COLUMNS} FROM ${this.database.scope.rows('scene')} AS scene WHERE ${condition} AND ${between} ORDER BY ${orderBy} LIMIT ${limit}::int`,
    );
    return {
      ...pageOf(rows, page, NEWEST.name, (node) => ({ node, position: { value: null, id: node.id } })),
      totalCount: () => this.count(condition),
    };
  }

  /** Reads all scenes. */
  async extent(): Promise<SceneExtent> {
    const [row] = await this.database.query(
      ExtentRow,
      Prisma.sql`
        SELECT ST_XMin(e.box) AS west, ST_YMin(e.box) AS south, ST_XMax(e.box) AS east, ST_YMax(e.box) AS north, e."from", e."to"
        FROM (SELECT ST_Extent(footprint) AS box, min(acquired_at) AS "from", max(acquired_at) AS "to" FROM ${this.database.scope.rows('scene')} AS scene) AS e`,
    );
    return row ?? { box: null, from: null, to: null };
  }

  repair(geometries: readonly Geometry[]): Promise<RepairedGeometry[]> {
    return repairedGeometries(this.database, geometries);
  }

  /** Its segmentations, masks, features and adjacency go with it, by foreign keys. */
  async remove(id: string): Promise<Scene | null> {
    if (!isIdentifier(id)) return null;
    const [removed] = await this.database.query(
      SceneRow,
      Prisma.sql`DELETE FROM scene WHERE ${this.database.scope.owns('scene')} AND id = ${id}::uuid RETURNING ${COLUMNS}`,
    );
    return removed ?? null;
  }

  async keep(id: string, until: Date | null): Promise<Scene | null> {
    if (!isIdentifier(id)) return null;
    const [kept] = await this.database.query(
      SceneRow,
      Prisma.sql`UPDATE scene SET keep_until = ${until}::timestamptz WHERE ${this.database.scope.owns('scene')} AND id = ${id}::uuid RETURNING ${COLUMNS}`,
    );
    return kept ?? null;
  }

  private async count(condition: Prisma.Sql): Promise<number> {
    const [row] = await this.database.query(
      CountRow,
      Prisma.sql`SELECT count(*)::float8 AS count FROM ${this.database.scope.rows('scene')} AS scene WHERE ${condition}`,
    );
    return row?.count ?? 0;
  }
}

/** Nodata may be NaN or infinite, which PostgreSQL reads as text. */
function nodataText(value: number | null): string | null {
  return value === null ? null : String(value);
}

function conditionSql({ name, intersects, bounds, acquired, condition }: SceneFilter): Prisma.Sql {
  const conditions = [Prisma.sql`TRUE`];
  if (bounds) {
    const [west, south, east, north] = bounds;
    conditions.push(
      Prisma.sql`footprint && ST_MakeEnvelope(${west}::float8, ${south}::float8, ${east}::float8, ${north}::float8, 4326)`,
    );
  }
  if (name !== undefined) conditions.push(Prisma.sql`name ILIKE ${containing(searchText('name', name))}::text`);
  if (intersects) {
    const place = Prisma.sql`ST_GeomFromGeoJSON(${JSON.stringify(intersects)}::text)`;
    conditions.push(Prisma.sql`ST_Intersects(footprint, ${place})`);
  }
  if (condition) conditions.push(sceneConditionSql(condition));
  if (acquired?.from) conditions.push(Prisma.sql`acquired_at >= ${acquired.from}::timestamptz`);
  if (acquired?.to) conditions.push(Prisma.sql`acquired_at <= ${acquired.to}::timestamptz`);
  return Prisma.join(conditions, ' AND ');
}

async function insertScene(queries: Queries, scene: NewScene, id: string, sizeBytes: number | null): Promise<Scene> {
  const footprint = scene.footprint && JSON.stringify(scene.footprint);
  const stretch = scene.stretch && JSON.stringify(scene.stretch);
  const collar = scene.collar ? JSON.stringify(scene.collar) : null;
  const remote = scene.remote && JSON.stringify(scene.remote);
  const [stored] = await queries.query(
    SceneRow,
    Prisma.sql`
      INSERT INTO scene (workspace_id, id, name, source, sha256, width_px, height_px, bands, dtype, nodata, crs, geotransform, gsd_m,
                         footprint, area_m2, rgb_bands, stretch, collar, blob_key, blob_bytes, remote, attribution, acquired_at, keep_until)
      VALUES (${queries.workspace}::text, ${id}::uuid, ${plainText(scene.name)}, ${plainText(scene.source, MAX_SOURCE)}, ${scene.sha256}, ${scene.widthPx}::int,
              ${scene.heightPx}::int, ${scene.bands}::int, ${scene.dtype}, ${nodataText(scene.nodata)}::text::float8,
              ${scene.crs && plainText(scene.crs, MAX_CRS)}, ${scene.affine && `{${scene.affine.join(',')}}`}::text::float8[], ${scene.gsdM}::float8,
              ST_GeomFromGeoJSON(${footprint}::text), ground_area_m2(ST_GeomFromGeoJSON(${footprint}::text)),
              ${`{${scene.rgbBands.join(',')}}`}::text::int[], ${stretch}::text::jsonb, ${collar}::text::jsonb, ${scene.blobKey}, ${sizeBytes}::float8::bigint,
              ${remote}::text::jsonb, ${scene.attribution && plainText(scene.attribution)},
              ${scene.acquiredAt}::timestamptz, ${scene.keepUntil ?? null}::timestamptz)
      RETURNING ${COLUMNS}`,
  );
  if (!stored) throw new Error('the database stored a scene and did not return it');
  return stored;
}
