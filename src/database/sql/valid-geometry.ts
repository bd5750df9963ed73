import type { Geometry } from 'geojson';
import { z } from 'zod';
import { parseGeometry } from '../../geojson-geometry.ts';
import { Prisma, type Queries } from '../database.ts';

/**
 * A geometry made valid by the structure of its rings: shells are joined, holes are cut out, and what has no area stays as line
 * or point. The default method of PostGIS would make a hole where two parts of a MultiPolygon overlap.
 * @see https://postgis.net/docs/ST_MakeValid.html
 */
export function madeValidSql(geometry: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`ST_MakeValid(${geometry}, 'method=structure keepcollapsed=true')`;
}

/** The geometry, made valid where it is not. @param geometry written twice, so a constant or a column */
export function validSql(geometry: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`CASE WHEN ST_IsValid(${geometry}) THEN ${geometry} ELSE ${madeValidSql(geometry)} END`;
}

/** What became of a geometry that is not valid by OGC Simple Features. */
export interface RepairedGeometry {
  readonly given: Geometry;
  readonly repaired: Geometry;
  /** What is wrong, with the place: `Self-intersection[1 1]`. */
  readonly reason: string;
}

const RepairedRow = z.object({
  rank: z.number(),
  repaired: z.string().transform((text) => parseGeometry(JSON.parse(text), Infinity)),
  reason: z.string(),
});

/**
 * Repairs those of the geometries that are not valid, by the structure of the rings: shells are joined, holes are cut out, and
 * what has no area stays as line or point.
 */
export async function repairedGeometries(
  queries: Pick<Queries, 'query'>,
  geometries: readonly Geometry[],
): Promise<RepairedGeometry[]> {
  if (geometries.length === 0) return [];
  const rows = await queries.query(
    RepairedRow,
    Prisma.sql`
      SELECT given.rank::int AS rank, ST_IsValidReason(given.geometry) AS reason,
             ST_AsGeoJSON(${madeValidSql(Prisma.sql`given.geometry`)}, 15, 0) AS repaired
      FROM (
        SELECT g.rank, ST_GeomFromGeoJSON(g.text) AS geometry
        FROM json_array_elements_text(${JSON.stringify(geometries)}::text::json) WITH ORDINALITY AS g (text, rank)
      ) AS given
      WHERE NOT ST_IsValid(given.geometry)`,
  );
  return rows.flatMap(({ rank, repaired, reason }) => {
    const given = geometries[rank - 1];
    return given ? [{ given, repaired, reason }] : [];
  });
}

/** The sentence that tells a client of a repair. */
export function repairWarning({ given, reason }: RepairedGeometry): string {
  return `The ${given.type} was invalid (${reason}) and was repaired.`;
}
