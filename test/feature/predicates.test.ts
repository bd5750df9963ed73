import type { Geometry, Position } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { SPATIAL_PREDICATES, type SpatialPredicate } from '../../src/feature/feature.filter.ts';
import { conditionSql } from '../../src/feature/feature-condition.repository.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { at, seedFeatures } from './seeded-features.ts';

const COUNT = 5000;

let database: Database;
beforeAll(async () => {
  database = await openTestDatabase();
  await seedFeatures(database, COUNT);
}, 300_000);
afterAll(() => database.close());

/** A square on the raster, its corner at x and y. */
const square = (x: number, y: number, side: number): Position[][] => [
  [at(x, y), at(x + side, y), at(x + side, y + side), at(x, y + side), at(x, y)],
];
const point: Geometry = { type: 'Point', coordinates: at(204, 204) };
const edges: Geometry = { type: 'LineString', coordinates: [at(100, 100), at(160, 100), at(160, 137)] };
const area: Geometry = { type: 'Polygon', coordinates: square(300, 100, 55) };
const other: Geometry = { type: 'Polygon', coordinates: square(340, 140, 30) };
const inside: Geometry = { type: 'MultiPoint', coordinates: [at(201, 201), at(202, 208)] };

const GEOMETRIES: Record<string, Geometry> = {
  Point: point,
  'Point on a corner': { type: 'Point', coordinates: at(210, 210) },
  MultiPoint: { type: 'MultiPoint', coordinates: [at(201, 201), at(208, 208), at(250, 300)] },
  'MultiPoint in a cell': inside,
  LineString: { type: 'LineString', coordinates: [at(98, 102), at(163, 128)] },
  'LineString along edges': edges,
  MultiLineString: {
    type: 'MultiLineString',
    coordinates: [
      [at(1, 1), at(2, 2)],
      [at(500, 205), at(535, 205)],
    ],
  },
  Polygon: area,
  'Polygon in a cell': { type: 'Polygon', coordinates: square(301, 301, 1) },
  'Polygon with a hole': {
    type: 'Polygon',
    coordinates: [...square(400, 100, 60), square(420, 120, 20)[0]!.toReversed()],
  },
  MultiPolygon: { type: 'MultiPolygon', coordinates: [square(300, 100, 55), square(600, 200, 30)] },
  'GeometryCollection of points': { type: 'GeometryCollection', geometries: [point, inside] },
  'GeometryCollection of point and line': { type: 'GeometryCollection', geometries: [point, edges] },
  'GeometryCollection of overlapping polygons': { type: 'GeometryCollection', geometries: [area, other] },
  'GeometryCollection of everything': {
    type: 'GeometryCollection',
    geometries: [point, edges, { type: 'GeometryCollection', geometries: [area, inside] }],
  },
};

const given = (geometry: Geometry): Prisma.Sql => Prisma.sql`ST_GeomFromGeoJSON(${JSON.stringify(geometry)}::text)`;
const related = (geometry: Geometry, matrix: string): Prisma.Sql =>
  Prisma.sql`ST_Relate(f.geometry, ${given(geometry)}, ${matrix}::text)`;
const dimensionOf = (geometry: Geometry): number =>
  geometry.type === 'GeometryCollection'
    ? Math.max(...geometry.geometries.map(dimensionOf))
    : ['Point', 'LineString', 'Polygon'].indexOf(geometry.type.replace('Multi', ''));

/** The slow twin for one dimension: the matrices of OGC 06-103r4, table 2, which no index helps. The feature is an area. */
const MATRICES: Record<SpatialPredicate, (geometry: Geometry) => Prisma.Sql> = {
  intersects: (geometry) => Prisma.sql`NOT ${related(geometry, 'FF*FF****')}`,
  disjoint: (geometry) => related(geometry, 'FF*FF****'),
  within: (geometry) => related(geometry, 'T*F**F***'),
  contains: (geometry) => related(geometry, 'T*****FF*'),
  touches: (geometry) =>
    Prisma.sql`(${related(geometry, 'FT*******')} OR ${related(geometry, 'F**T*****')} OR ${related(geometry, 'F***T****')})`,
  overlaps: (geometry) => Prisma.sql`(${dimensionOf(geometry) === 2}::boolean AND ${related(geometry, 'T*T***T**')})`,
  crosses: (geometry) => Prisma.sql`(${dimensionOf(geometry) < 2}::boolean AND ${related(geometry, 'T*****T**')})`,
};

/** The slow twin for collections: members one by one, and overlay instead of relations. Areas are square degrees. */
function collectionTwin(predicate: SpatialPredicate, geometry: Geometry): Prisma.Sql {
  const members = Prisma.sql`(SELECT (ST_Dump(${given(geometry)})).geom AS m) AS member`;
  const areas = Prisma.sql`(SELECT ST_Union(m) FROM ${members} WHERE ST_Dimension(m) = 2)`;
  const some = (condition: Prisma.Sql) => Prisma.sql`EXISTS (SELECT 1 FROM ${members} WHERE ${condition})`;
  const meets = some(Prisma.sql`NOT ST_Relate(f.geometry, m, 'FF*FF****')`);
  const meetsInside = some(Prisma.sql`ST_Relate(f.geometry, m, 'T********')`);
  const holdsAll = Prisma.sql`NOT ${some(Prisma.sql`NOT ST_IsEmpty(ST_Difference(m, f.geometry))`)}`;
  const outside = Prisma.sql`COALESCE(ST_Area(ST_Difference(f.geometry, ${areas})), 1)`;
  const common = Prisma.sql`COALESCE(ST_Area(ST_Intersection(f.geometry, ${areas})), 0)`;
  const twins: Record<SpatialPredicate, Prisma.Sql> = {
    intersects: meets,
    disjoint: Prisma.sql`NOT ${meets}`,
    within: Prisma.sql`${outside} < 1e-12`,
    contains: Prisma.sql`${holdsAll} AND ${meetsInside}`,
    touches: Prisma.sql`${meets} AND NOT ${meetsInside}`,
    overlaps: Prisma.sql`${common} > 1e-12 AND ${outside} > 1e-12 AND NOT ${holdsAll}`,
    crosses: Prisma.sql`${areas} IS NULL AND ${meetsInside} AND NOT ${holdsAll}`,
  };
  return twins[predicate];
}

const IdRow = z.object({ id: z.string() });
async function idsWhere(condition: Prisma.Sql): Promise<string[]> {
  const rows = await database.query(IdRow, Prisma.sql`SELECT f.id FROM feature AS f WHERE ${condition} ORDER BY f.id`);
  return rows.map(({ id }) => id);
}

/** Features found by predicate. */
const found = new Map<SpatialPredicate, number[]>(SPATIAL_PREDICATES.map((predicate) => [predicate, []]));

describe(`among ${COUNT} features`, () => {
  const cases = SPATIAL_PREDICATES.flatMap((predicate) =>
    Object.keys(GEOMETRIES).map((name) => [predicate, name] as const),
  );

  it.each(cases)('%s %s finds what plain SQL finds', async (predicate, name) => {
    const geometry = GEOMETRIES[name]!;
    const ids = await idsWhere(conditionSql({ [predicate]: geometry }, database.scope));
    const twin =
      geometry.type === 'GeometryCollection' ? collectionTwin(predicate, geometry) : MATRICES[predicate](geometry);
    expect(ids).toEqual(await idsWhere(twin));
    found.get(predicate)!.push(ids.length);
  });

  it.each(SPATIAL_PREDICATES)(
    '%s was put to the test: it found some for several geometries, and never all',
    (predicate) => {
      const counts = found.get(predicate)!;
      expect(counts.filter((count) => count > 0).length).toBeGreaterThanOrEqual(3);
      expect(Math.max(...counts)).toBeLessThan(COUNT);
    },
  );
});

const DistanceRow = z.object({ id: z.string(), distanceM: z.number() });

describe('the nearest first', () => {
  const near = {
    Point: point,
    Polygon: area,
    'GeometryCollection of everything': GEOMETRIES['GeometryCollection of everything']!,
  };

  it.each(Object.entries(near))(
    'to a %s are in the order of geodesic distance, page by page',
    async (_name, geometry) => {
      const origin = Prisma.sql`${given(geometry)}::geography`;
      const rows = await database.query(
        DistanceRow,
        Prisma.sql`
        SELECT f.id, ST_Distance(f.geometry::geography, ${origin}) AS "distanceM" FROM feature AS f
        WHERE ST_Distance(f.geometry::geography, ${origin}) <= 5000 ORDER BY 2, 1 LIMIT 90`,
      );
      const features = new FeatureRepository(database);
      const filter = { near: { geometry, withinM: 5000 } };
      const order = { by: 'DISTANCE', direction: 'ASC' } as const;
      const first = await features.find(filter, order, { first: 45 });
      const second = await features.find(filter, order, { first: 45, after: first.edges.at(-1)!.cursor });
      const nodes = [...first.edges, ...second.edges].map(({ node }) => node);
      expect(nodes.map(({ id, distanceM }) => ({ id, distanceM }))).toEqual(rows);
      const back = await features.find(filter, order, { last: 45, before: second.edges[0]!.cursor });
      expect(back.edges).toEqual(first.edges);
      expect(back.hasPreviousPage).toBe(false);
    },
  );
});
