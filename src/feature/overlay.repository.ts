import { Prisma } from '../database/database.ts';

/**
 * Grid that overlays snap their vertices to, in degrees: a hundredth of a millimetre. Snapping cannot fail, whereas an
 * overlay in full precision may have to be tried again inside GEOS, and on the embedded engine a statement in which that
 * happens ends without an error and without rows.
 * @see https://postgis.net/docs/ST_Intersection.html (gridSize)
 */
const GRID = Prisma.sql`1e-10`;

/** Area that two outlines have in common; points and lines where they only touch are left out. */
export function commonAreaSql(a: Prisma.Sql, b: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`ST_CollectionExtract(ST_Intersection(${a}, ${b}, ${GRID}), 3)`;
}

/** Line that two outlines have in common, also across the antimeridian; snapped to the same grid. */
export function commonBorderSql(a: Prisma.Sql, b: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`common_border(${a}, ${b})`;
}

/**
 * Length of the border of two features that meet, metres, where none is stored. Of two scenes it is the line that their
 * outlines have in common; of one scene it is what its masks show, see `mask_border_m`.
 * @param a row of a feature
 * @param pixelM ground size of a pixel of its scene
 */
export function borderLengthSql(a: Prisma.Sql, b: Prisma.Sql, pixelM: Prisma.Sql): Prisma.Sql {
  const outlines = Prisma.sql`${a}.geometry, ${b}.geometry`;
  return Prisma.sql`CASE WHEN ${a}.scene_id = ${b}.scene_id THEN mask_border_m(${outlines}, ${pixelM})
    ELSE ST_Length(common_border(${outlines})::geography) END`;
}

/**
 * Geodesic distance of two outlines, metres; 0 where they meet, where straight lines and geodesics differ too, and as
 * outlines do that have different longitudes for one place of the antimeridian or of a pole.
 */
export function gapSql(a: Prisma.Sql, b: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`CASE WHEN meets(${a}, ${b}) THEN 0 ELSE ST_Distance(${a}::geography, ${b}::geography) END`;
}

/** Union of the outlines of the rows of a group. */
export function unionSql(outline: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`ST_Union(${outline}, ${GRID})`;
}

/** The parts of one outline, which may overlap, as one valid geometry; decimals of ten places stay as they are. */
export function dissolvedSql(outline: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`ST_UnaryUnion(${outline}, ${GRID})`;
}
