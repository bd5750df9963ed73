import { Prisma } from '../database/database.ts';
import type { GeometryFormat } from './feature.ts';

/** From this many decimal places on, coordinates are written as they are stored: doubles have some fifteen digits. */
const EXACT_PLACES = 14;
const METRES_PER_DEGREE = 111_320;
/** Pixels of a feature as large as so many steps of the decimal grid cannot come to lie on one another by rounding. */
const SAFE_STEPS = 20;

/**
 * The outline of `f` on the ground as clients receive it: valid by OGC Simple Features, exterior rings counter-clockwise by
 * RFC 7946. Simplified, then on a grid of decimal places: rings are rounded as a whole, so that they do not come to cross
 * themselves. An outline along the edges of pixels that are much larger than the grid is rounded place by place, which is as
 * safe and costs nothing.
 */
export function groundOutlineSql({ precision, simplifyM }: GeometryFormat): Prisma.Sql {
  if (simplifyM > 0) {
    const simplified = Prisma.sql`simplified(f.geometry, ${simplifyM}::float8)`;
    return precision >= EXACT_PLACES
      ? Prisma.sql`ST_ForcePolygonCCW(${simplified})`
      : Prisma.sql`rounded(${simplified}, ${precision}::int)`;
  }
  if (precision >= EXACT_PLACES) return Prisma.sql`f.geometry`;
  const coarsePixelM2 = (SAFE_STEPS * METRES_PER_DEGREE * 10 ** -precision) ** 2;
  return Prisma.sql`CASE WHEN f.area_m2 > ${coarsePixelM2}::float8 * f.pixel_count THEN f.geometry
    ELSE rounded(f.geometry, ${precision}::int) END`;
}

/**
 * An outline that was simplified together with those beside it, valid and wound as {@link groundOutlineSql} has it.
 * @param outline RFC 7946 text
 */
export function simplifiedOutlineSql(outline: Prisma.Sql, precision: number): Prisma.Sql {
  const valid = Prisma.sql`(SELECT CASE WHEN ST_IsValid(simple) THEN simple
    ELSE ST_CollectionExtract(ST_MakeValid(simple, 'method=structure'), 3) END
    FROM (SELECT ST_SetSRID(ST_GeomFromGeoJSON(${outline}), 4326) AS simple OFFSET 0) AS read)`;
  return precision >= EXACT_PLACES
    ? Prisma.sql`ST_ForcePolygonCCW(${valid})`
    : Prisma.sql`rounded(${valid}, ${precision}::int)`;
}

/** The outline of `f` as RFC 7946 text, in pixels where the scene has no georeference. */
export function outlineSql(format: GeometryFormat): Prisma.Sql {
  return Prisma.sql`ST_AsGeoJSON(COALESCE(${groundOutlineSql(format)}, f.pixel_geometry), ${format.precision}::int, 0)`;
}
