import { Prisma } from './database.ts';

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
