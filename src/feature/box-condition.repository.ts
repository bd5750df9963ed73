import { Prisma } from '../database/database.ts';
import type { Bbox } from './feature.ts';

/** Features that meet a box. Uses `feature_geometry_gist`. */
export function bboxSql(bbox: Bbox): Prisma.Sql {
  return anySql(boxesOf(bbox).map(meetsSql));
}

/**
 * The same as conditions of which exactly one holds for each feature that meets the box: those well inside are found by
 * `feature_cell` alone, those at the edge by `feature_geometry_gist` and their outlines.
 * @returns null for boxes that one condition serves better
 */
export function bboxPartsSql(bbox: Bbox): Prisma.Sql[] | null {
  const boxes = boxesOf(bbox);
  return boxes.every(isOfCells) ? [...boxes.map(insideCellsSql), atEdgeSql(boxes)] : null;
}

/** A box across the antimeridian is asked as two. */
function boxesOf([west, south, east, north]: Bbox): Bbox[] {
  if (west <= east) return [[west, south, east, north]];
  return [
    [west, south, 180, north],
    [-180, south, east, north],
  ];
}

/**
 * More than boxes of PostgreSQL may be wrong by: it takes coordinates for equal that differ by a millionth.
 * @see https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/utils/geo_decls.h
 */
const EDGE_DEG = 2e-6;

/**
 * An outline is compared with the box where its bounds reach the edge; farther inside it lies in the box whatever its form.
 * The planner has estimates for `&&` and none for `CASE`, so that the condition counts once.
 */
function meetsSql(box: Bbox): Prisma.Sql {
  const [west, south, east, north] = box;
  const meets = outlineMeetsSql(box);
  if (east - west <= 2 * EDGE_DEG || north - south <= 2 * EDGE_DEG) return meets;
  return Prisma.sql`(f.geometry && ${envelopeSql(box)} AND CASE WHEN ${isInsideSql(box)} THEN TRUE ELSE ${meets} END)`;
}

function isInsideSql([west, south, east, north]: Bbox): Prisma.Sql {
  return Prisma.sql`f.bounds <@ box(
    point(${west + EDGE_DEG}::float8, ${south + EDGE_DEG}::float8),
    point(${east - EDGE_DEG}::float8, ${north - EDGE_DEG}::float8))`;
}

function outlineMeetsSql(box: Bbox): Prisma.Sql {
  return Prisma.sql`ST_Intersects(f.geometry, ${envelopeSql(box)})`;
}

function envelopeSql([west, south, east, north]: Bbox): Prisma.Sql {
  return Prisma.sql`ST_MakeEnvelope(${west}::float8, ${south}::float8, ${east}::float8, ${north}::float8, 4326)`;
}

/** Some four cells: for fewer it costs more to plan several conditions than it saves to read the index alone. */
const MIN_SIDE_DEG = 0.05;
/** The centroid of an outline on both sides of the antimeridian may lie outside its bounds, which span more. */
const MAX_WIDTH_DEG = 180;

function isOfCells([west, south, east, north]: Bbox): boolean {
  return east - west >= MIN_SIDE_DEG && east - west <= MAX_WIDTH_DEG && north - south >= MIN_SIDE_DEG;
}

/** About a hundred columns of cells, each of which is sought in the index; of more all rows are read. */
const MAX_SOUGHT_DEG = 1;

/**
 * A feature is in the cell of its centroid, which lies within its bounds. Written as `CASE`, as the planner takes one in a
 * thousand boxes to lie in another.
 */
function insideCellsSql(box: Bbox): Prisma.Sql {
  const [west, south, east, north] = box;
  const [first, last] = [cellSql(Prisma.sql`ST_X`, west, south), cellSql(Prisma.sql`ST_X`, east, north)];
  const columns =
    east - west <= MAX_SOUGHT_DEG
      ? Prisma.sql`= ANY(ARRAY(SELECT generate_series(${first}, ${last})))`
      : Prisma.sql`BETWEEN ${first} AND ${last}`;
  return Prisma.sql`(f.cell_column ${columns}
    AND f.cell_row BETWEEN ${cellSql(Prisma.sql`ST_Y`, west, south)} AND ${cellSql(Prisma.sql`ST_Y`, east, north)}
    AND CASE WHEN ${isInsideSql(box)} THEN TRUE END)`;
}

/** Column or row of the square kilometre of a place, as the columns of `feature` are made. */
function cellSql(ordinate: Prisma.Sql, east: number, north: number): Prisma.Sql {
  const place = Prisma.sql`ST_SetSRID(ST_MakePoint(${east}::float8, ${north}::float8), 4326)`;
  return Prisma.sql`floor(${ordinate}(ST_Transform(${place}, 6933)) / 1000)::integer`;
}

/** What meets a box and is not inside reaches one of the four strips along its edges. */
function atEdgeSql(boxes: readonly Bbox[]): Prisma.Sql {
  const strips = boxes.flatMap(stripsOf).map((strip) => Prisma.sql`f.geometry && ${envelopeSql(strip)}`);
  return Prisma.sql`(${anySql(strips)} AND CASE WHEN ${anySql(boxes.map(isInsideSql))} THEN FALSE
    ELSE ${anySql(boxes.map(outlineMeetsSql))} END)`;
}

function stripsOf([west, south, east, north]: Bbox): Bbox[] {
  return [
    [west, south, west + EDGE_DEG, north],
    [east - EDGE_DEG, south, east, north],
    [west, south, east, south + EDGE_DEG],
    [west, north - EDGE_DEG, east, north],
  ];
}

function anySql(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return Prisma.sql`(${Prisma.join([...conditions], ' OR ')})`;
}
