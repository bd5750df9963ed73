import { z } from 'zod';
import { type WorkspaceDatabase, Prisma } from '../database/database.ts';
import type { Planning } from '../database/driver.ts';
import type { Scope } from '../database/scope.ts';
import type { Bbox } from '../feature/feature.ts';
import type { FeatureFilter } from '../feature/feature.filter.ts';
import { BOUNDED, conditionSql } from '../feature/feature-condition.repository.ts';
import { MEASURE_COLUMNS } from '../feature/measures.repository.ts';
import { encodeFeatureTile, TileCellRow, TileFeatureRow } from './encode-feature-tile.ts';
import {
  BUFFER,
  CELLS,
  EXTENT,
  type FeatureTile,
  type FeatureTileQuery,
  type FeatureTileStore,
  type LargestDownTo,
  MAX_TILE_FEATURES,
  type ShownFeatures,
  SIDE_PX,
} from './feature-tile.ts';
import { type Tile, tileBounds, WORLD_M } from './tile-grid.ts';

const TileRow = z.object({
  features: z.instanceof(Uint8Array).nullable(),
  cells: z.instanceof(Uint8Array).nullable(),
  drawn: z.number(),
  leftOut: z.number(),
});
const ShownRow = z.object({
  west: z.number(),
  south: z.number(),
  east: z.number(),
  north: z.number(),
  smallestM: z.number(),
  pixelM: z.number(),
});
const DownToRow = z.object({ areaM2: z.number(), id: z.string() });

/** Reads the features of a tile. Uses `feature_geometry_gist`, and the indexes of the filter's conditions. */
export class FeatureTileRepository implements FeatureTileStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  read(query: FeatureTileQuery): Promise<FeatureTile> {
    return this.database.capabilities.vectorTiles ? this.readEncoded(query) : this.readRows(query);
  }

  async downTo(tile: Tile, filter: FeatureFilter, index: number): Promise<LargestDownTo | null> {
    const [row] = await this.database.query(
      DownToRow,
      Prisma.sql`
        SELECT f.area_m2 AS "areaM2", f.id FROM ${this.database.scope.rows('feature')} AS f
        WHERE ${meetsSql(tile, BUFFER / EXTENT)} AND ${conditionSql(filter, this.database.scope, BOUNDED)} AND ${isLargeSql(tile)}
        ORDER BY f.area_m2 DESC, f.id LIMIT 1 OFFSET ${index}::int`,
    );
    return row ?? null;
  }

  async shown(filter: FeatureFilter): Promise<ShownFeatures | null> {
    const [row] = await this.database.query(
      ShownRow.or(z.object({ west: z.null() })),
      Prisma.sql`
        SELECT min(ST_XMin(f.geometry)) AS west, min(ST_YMin(f.geometry)) AS south,
               max(ST_XMax(f.geometry)) AS east, max(ST_YMax(f.geometry)) AS north,
               sqrt(min(f.area_m2 / cos(radians(ST_Y(f.centroid))) ^ 2)) AS "smallestM",
               sqrt(min(f.area_m2 / f.pixel_count / cos(radians(ST_Y(f.centroid))) ^ 2)) AS "pixelM"
        FROM ${this.database.scope.rows('feature')} AS f
        WHERE ${conditionSql(filter, this.database.scope)} AND f.geometry IS NOT NULL AND f.area_m2 > 0`,
    );
    if (!row || row.west === null) return null;
    const { west, south, east, north, ...sizes } = row;
    return { bounds: [west, south, east, north], ...sizes };
  }

  /** Where PostGIS encodes tiles itself. */
  private async readEncoded(query: FeatureTileQuery): Promise<FeatureTile> {
    const [row] = await this.database.query(
      TileRow,
      Prisma.sql`
        SELECT tile.*, counted.* FROM (
          SELECT ST_AsMVT(d, 'features', ${EXTENT}::int, 'outline') AS features, count(d.outline)::float8 AS drawn
          FROM (${drawnSql(query, this.database.scope, encodedOutlineSql(query.tile))} ${ONCE}) AS d
        ) AS tile, (
          SELECT ST_AsMVT(s, 'cells', ${EXTENT}::int, 'outline') AS cells, COALESCE(sum(s.left_out), 0)::float8 AS "leftOut"
          FROM (
            SELECT c.count, c."areaM2", c."meanProbability", c.left_out, ST_ForcePolygonCCW(ST_MakeEnvelope(
              c.cell_column * ${CELL}::int, c.cell_row * ${CELL}::int,
              (c.cell_column + 1) * ${CELL}::int, (c.cell_row + 1) * ${CELL}::int)) AS outline
            FROM (${cellsSql(query, this.database.scope)}) AS c
            ${ONCE}
          ) AS s
        ) AS counted`,
      planningOf(query),
    );
    if (!row) throw new Error('the database gave no row for a tile');
    const { features, cells, ...counts } = row;
    const layers = [features, cells].filter((layer) => layer !== null && layer.length > 0) as Uint8Array[];
    return { bytes: layers.length === 1 ? layers[0]! : Buffer.concat(layers), ...counts };
  }

  /** Where it does not, as the embedded PostGIS is built without protobuf: it clips and rounds, this process encodes. */
  private async readRows(query: FeatureTileQuery): Promise<FeatureTile> {
    const features = await this.database.query(
      TileFeatureRow,
      Prisma.sql`
        SELECT d.*, ST_AsGeoJSON(d.outline, 0)::jsonb AS outline
        FROM (${drawnSql(query, this.database.scope, roundedOutlineSql(query.tile))} ${ONCE}) AS d WHERE d.outline IS NOT NULL`,
    );
    const cells = await this.database.query(TileCellRow, cellsSql(query, this.database.scope));
    const leftOut = cells.reduce((sum, cell) => sum + cell.left_out, 0);
    return { bytes: encodeFeatureTile(features, cells), drawn: features.length, leftOut };
  }
}

/**
 * Where a tile shows a small part of the ground and nothing else limits what it shows, its box is the best way in, wherever it
 * lies: planning takes longer than reading then.
 */
const planningOf = ({ tile, filter, downTo }: FeatureTileQuery): Planning =>
  tile.z >= EVEN_ZOOM && downTo === null && Object.keys(filter).length === 0 ? 'once' : 'each';

/** Keeps a subquery whole, so that what it computes is computed once, however often it is used. */
const ONCE = Prisma.sql`OFFSET 0`;
/** Units of a cell on a side. */
const CELL = EXTENT / CELLS;

/**
 * Attributes and outline of the features that a tile draws, largest first, so that small ones lie on top. The outline is null
 * where nothing of it is left.
 */
function drawnSql({ tile, filter, downTo }: FeatureTileQuery, scope: Scope, outline: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT f.id::text AS id, f.scene_id::text AS "sceneId", f.segmentation_id::text AS "segmentationId", s.prompt,
           r.status AS review, ${MEASURE_COLUMNS}, ${outline} AS outline
    FROM (
      SELECT f.* FROM ${scope.rows('feature')} AS f
      WHERE ${meetsSql(tile, BUFFER / EXTENT)} AND ${conditionSql(filter, scope, BOUNDED)} AND ${isDrawnSql(tile, downTo)}
      ORDER BY f.area_m2 DESC, f.id LIMIT ${MAX_TILE_FEATURES}::int
    ) AS f
    JOIN ${scope.rows('segmentation')} AS s ON s.id = f.segmentation_id
    LEFT JOIN ${scope.rows('review')} AS r ON r.feature_id = f.id AND r.is_current`;
}

/** What a tile does not draw, by the cell of its centroid; a tile counts the centroids that it holds. */
function cellsSql({ tile, filter, downTo }: FeatureTileQuery, scope: Scope): Prisma.Sql {
  const { z: zoom, x, y } = tile;
  const [west, south, east, north] = tileBounds(tile);
  const side = 2 ** zoom;
  return Prisma.sql`
    SELECT cell_column, cell_row, count(*)::int AS count, sum(area_m2) AS "areaM2",
           sum(mean_probability * pixel_count) / sum(pixel_count) AS "meanProbability",
           (count(*) FILTER (WHERE large))::int AS left_out
    FROM (
      SELECT f.area_m2, f.mean_probability, f.pixel_count, ${isLargeSql(tile)} AS large,
             LEAST(${CELLS - 1}::int, floor(((ST_X(f.centroid) + 180) / 360 * ${side}::float8 - ${x}::float8) * ${CELLS}::int)::int) AS cell_column,
             LEAST(${CELLS - 1}::int, floor(((1 - asinh(tan(radians(ST_Y(f.centroid)))) / pi()) / 2 * ${side}::float8 - ${y}::float8) * ${CELLS}::int)::int) AS cell_row
      FROM ${scope.rows('feature')} AS f
      WHERE ${meetsSql(tile, 0)} AND ${conditionSql(filter, scope, BOUNDED)} AND NOT ${isDrawnSql(tile, downTo)}
        AND ST_X(f.centroid) >= ${west}::float8 AND (ST_X(f.centroid) < ${east}::float8 OR ${east}::float8 = 180)
        AND ST_Y(f.centroid) > ${south}::float8 AND ST_Y(f.centroid) <= ${north}::float8
    ) AS small
    GROUP BY cell_column, cell_row`;
}

/** @param buffer share of the tile's side */
function meetsSql(tile: Tile, buffer: number): Prisma.Sql {
  const [west, south, east, north]: Bbox = tileBounds(tile, buffer);
  return Prisma.sql`f.geometry && ST_MakeEnvelope(${west}::float8, ${south}::float8, ${east}::float8, ${north}::float8, 4326)`;
}

/**
 * Whether `f` is a pixel of the tile or more, where it lies: Web Mercator stretches by the secant of the latitude. Where all
 * the latitudes of the tile say the same, that of the feature is not looked at.
 */
function isLargeSql(tile: Tile): Prisma.Sql {
  const equatorM = WORLD_M / 2 ** tile.z / SIDE_PX;
  const [, south, , north] = tileBounds(tile, 1);
  const sides = [south, north].map((latitude) => equatorM * Math.cos((latitude * Math.PI) / 180));
  const least = Math.min(...sides) ** 2;
  const most = (south < 0 && north > 0 ? equatorM : Math.max(...sides)) ** 2;
  return Prisma.sql`(f.area_m2 >= ${least}::float8 AND (f.area_m2 >= ${most}::float8
    OR f.area_m2 >= (${equatorM}::float8 * cos(radians(ST_Y(f.centroid)))) ^ 2))`;
}

function isDrawnSql(tile: Tile, downTo: LargestDownTo | null): Prisma.Sql {
  if (!downTo) return isLargeSql(tile);
  const { areaM2, id } = downTo;
  return Prisma.sql`(${isLargeSql(tile)} AND (f.area_m2 > ${areaM2}::float8 OR f.area_m2 = ${areaM2}::float8 AND f.id <= ${id}::uuid))`;
}

const MAP_SQUARE = Prisma.sql`ST_MakeEnvelope(-180, -85.06, 180, 85.06, 4326)`;
/** In Web Mercator, without what lies beyond its square, where there is no place for it. */
const onTheMapSql = Prisma.sql`ST_Transform(CASE WHEN f.geometry @ ${MAP_SQUARE} THEN f.geometry
  ELSE ST_ClipByBox2D(f.geometry, ${MAP_SQUARE}) END, 3857)`;

/**
 * From this level on a tile is so low that its latitudes are as good as even: Web Mercator departs from the straight line
 * between its edges by (2π / 2^z)² / 8 of the sphere's radius at the most, 0.4 units of 4096, which is less than rounding to
 * whole units does. Coordinates need no projection then.
 */
const EVEN_ZOOM = 13;

function encodedOutlineSql(tile: Tile): Prisma.Sql {
  if (tile.z < EVEN_ZOOM) {
    const { z: zoom, x, y } = tile;
    return Prisma.sql`ST_AsMVTGeom(${onTheMapSql}, ST_TileEnvelope(${zoom}::int, ${x}::int, ${y}::int), ${EXTENT}::int, ${BUFFER}::int, true)`;
  }
  const [west, south, east, north] = tileBounds(tile);
  return Prisma.sql`ST_AsMVTGeom(f.geometry, ST_MakeEnvelope(${west}::float8, ${south}::float8, ${east}::float8, ${north}::float8, 4326), ${EXTENT}::int, ${BUFFER}::int, true)`;
}

/**
 * The outline in units of the tile, y to the south, clipped to the tile and its buffer, on whole units and valid there; the
 * exterior has a positive area in these units. Null where nothing is left.
 * @see Mapbox Vector Tile Specification 2.1, section 4.3.4
 */
function roundedOutlineSql({ z: zoom, x, y }: Tile): Prisma.Sql {
  const unitM = WORLD_M / 2 ** zoom / EXTENT;
  const west = x * EXTENT * unitM - WORLD_M / 2;
  const north = WORLD_M / 2 - y * EXTENT * unitM;
  const placed = Prisma.sql`ST_TransScale(${onTheMapSql}, ${-west}::float8, ${-north}::float8, ${1 / unitM}::float8, ${-1 / unitM}::float8)`;
  const clipped = Prisma.sql`ST_ClipByBox2D(ST_SetSRID(${placed}, 0), ST_MakeEnvelope(${-BUFFER}::int, ${-BUFFER}::int, ${EXTENT + BUFFER}::int, ${EXTENT + BUFFER}::int))`;
  return Prisma.sql`(SELECT CASE WHEN NOT ST_IsEmpty(polygons) THEN ST_ForcePolygonCCW(polygons) END
    FROM (SELECT ST_CollectionExtract(ST_ReducePrecision(ST_MakeValid(${clipped}), 1), 3) AS polygons) AS rounded)`;
}
