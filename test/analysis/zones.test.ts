import type { FeatureCollection, Geometry } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RequestedZones } from '../../src/analysis/check-zones.ts';
import { ZoneRepository } from '../../src/analysis/zone.repository.ts';
import { type MeasuredZone, ZoneService } from '../../src/analysis/zone.service.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { checkFilter, type RequestedFilter } from '../../src/feature/check-filter.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';
import {
  areaM2,
  cells,
  gapM,
  meet,
  outline,
  randomRectangles,
  type Rectangle,
  type StoredRectangle,
  storeRectangles,
  storeScene,
} from './rectangles.ts';

const SIDE = 150;
const FOOTPRINT = { west: 0, south: 0, east: SIDE, north: SIDE };
const NOWHERE = '01900000-0000-7000-8000-000000000000';

let database: Database;
let sceneId: string;
let water: StoredRectangle[];
let fields: StoredRectangle[];

beforeAll(async () => {
  database = await openTestDatabase();
  sceneId = (await storeScene(database, FOOTPRINT)).id;
  const random = seededRandom(21);
  water = (await storeRectangles(database, sceneId, 'water', randomRectangles(random, 80, SIDE))).stored;
  fields = (await storeRectangles(database, sceneId, 'fields', randomRectangles(random, 80, SIDE))).stored;
}, 240_000);
afterAll(() => database.close());

const warnings: string[] = [];
function measure(zones: RequestedZones, filter: RequestedFilter = {}, store = database): Promise<MeasuredZone[]> {
  const features = { checkedFilter: async (requested: RequestedFilter) => checkFilter(requested, 1000) };
  const service = new ZoneService(features, new ZoneRepository(store), { maxVertices: 1000 });
  warnings.length = 0;
  return service.measure(zones, filter, (warning) => warnings.push(warning));
}

function collection(...geometries: (Geometry | null)[]): FeatureCollection<Geometry | null> {
  const features = geometries.map((geometry) => ({ type: 'Feature' as const, properties: {}, geometry }));
  return { type: 'FeatureCollection', features };
}

/** The obvious way: cells of the zone that lie in any rectangle, and the least of all gaps. */
function slowTwin(zone: Rectangle, rectangles: readonly Rectangle[]) {
  const own = cells([zone]);
  const covered = [...cells(rectangles)].filter((cell) => own.has(cell)).length * 100;
  return {
    featureCount: rectangles.filter((one) => meet(one, zone)).length,
    coveredAreaM2: covered,
    coveredShare: covered / areaM2([zone]),
    nearestDistanceM: Math.min(...rectangles.map((one) => gapM(one, zone))),
  };
}

async function expectTwin(zone: MeasuredZone, place: Rectangle, rectangles: readonly Rectangle[]): Promise<void> {
  const twin = slowTwin(place, rectangles);
  const { featureCount, coveredAreaM2 } = await zone.coverage();
  expect(featureCount).toBe(twin.featureCount);
  // Areas to a millionth, distances to a millimetre: everything lies within 2 km of the equator.
  expect(Math.abs(zone.areaM2 / areaM2([place]) - 1)).toBeLessThan(1e-6);
  expect(Math.abs(coveredAreaM2 - twin.coveredAreaM2)).toBeLessThanOrEqual(1e-6 * twin.coveredAreaM2);
  expect(await zone.coveredShare()).toBeCloseTo(twin.coveredShare, 6);
  expect((await zone.nearest())!.distanceM).toBeCloseTo(twin.nearestDistanceM, 3);
}

describe('zones', () => {
  it('given as outlines are covered as counting cells says', async () => {
    const random = seededRandom(22);
    const places = Array.from({ length: 40 }, (): Rectangle => {
      const [west, south] = [Math.floor(random() * 160) - 20, Math.floor(random() * 160) - 20];
      return { west, south, east: west + 1 + Math.floor(random() * 30), north: south + 1 + Math.floor(random() * 30) };
    });
    const zones = { collection: collection(...places.map(outline)) };
    for (const [filter, rectangles] of [
      [{}, [...water, ...fields]],
      [{ promptContains: 'water' }, water],
    ] as const) {
      const measured = await measure(zones, filter);
      expect(measured.map(({ index }) => index)).toEqual(places.map((_, index) => index));
      for (const zone of measured) await expectTwin(zone, places[zone.index]!, rectangles);
    }
  });

  it('that are stored features are not measured against themselves', async () => {
    const chosen = water.slice(0, 30).toReversed();
    const measured = await measure({ featureIds: chosen.map(({ id }) => id) });
    for (const zone of measured) {
      const self = chosen[zone.index]!;
      expect(zone.id).toBe(self.id);
      await expectTwin(
        zone,
        self,
        [...water, ...fields].filter(({ id }) => id !== self.id),
      );
    }
  });

  it('that are scenes are covered by what was found on them', async () => {
    const [zone] = await measure({ sceneIds: [sceneId] }, { promptContains: 'fields' });
    await expectTwin(zone!, FOOTPRINT, fields);
  });

  it('keep the identifiers of their collection', async () => {
    const { features, ...rest } = collection(outline(FOOTPRINT), outline(FOOTPRINT), outline(FOOTPRINT));
    const named = { ...rest, features: [{ ...features[0]!, id: 'north' }, { ...features[1]!, id: 7 }, features[2]!] };
    expect((await measure({ collection: named })).map(({ id }) => id)).toEqual(['north', '7', null]);
  });

  it('have nothing in them and nothing near when nothing matches', async () => {
    const [zone] = await measure({ collection: collection(outline(FOOTPRINT)) }, { or: [] });
    expect(await zone!.coverage()).toEqual({ featureCount: 0, coveredAreaM2: 0 });
    expect(await zone!.coveredShare()).toBe(0);
    expect(await zone!.nearest()).toBeNull();
  });

  it('may lie on both sides of the antimeridian', async () => {
    const pacific = await storeScene(database, FOOTPRINT);
    const far = { west: 150, south: 0, east: 152, north: 2 };
    const { stored } = await storeRectangles(database, pacific.id, 'pacific', [far]);
    await database.execute(Prisma.sql`
      UPDATE feature SET geometry = ST_MakeEnvelope(-179.99, 0, -179.98, 0.01, 4326) WHERE id = ${stored[0]!.id}::uuid`);
    const strip = {
      type: 'MultiPolygon' as const,
      coordinates: [
        [
          [
            [179.99, 0],
            [180, 0],
            [180, 0.01],
            [179.99, 0.01],
            [179.99, 0],
          ],
        ],
        [
          [
            [-180, 0],
            [-179.985, 0],
            [-179.985, 0.01],
            [-180, 0.01],
            [-180, 0],
          ],
        ],
      ],
    };
    const [zone] = await measure({ collection: collection(strip) }, { promptContains: 'pacific' });
    expect(await zone!.coveredShare()).toBeCloseTo(0.005 / 0.025, 5);
    const [west] = await measure(
      { collection: collection({ type: 'Polygon', coordinates: strip.coordinates[0]! }) },
      { promptContains: 'pacific' },
    );
    expect((await west!.nearest())!.distanceM).toBeCloseTo(0.01 * 111_319.491, 1);
    await database.execute(Prisma.sql`DELETE FROM scene WHERE id = ${pacific.id}::uuid`);
  });

  it('whose rings cross themselves are repaired, with a warning', async () => {
    const bowtie = {
      type: 'Polygon' as const,
      coordinates: [
        [
          [0, 0],
          [2, 2],
          [2, 0],
          [0, 2],
          [0, 0],
        ],
      ],
    };
    const [zone] = await measure({ collection: collection(bowtie) });
    expect(zone!.areaM2).toBeGreaterThan(2e10);
    expect(warnings).toEqual(['Zone 0 was invalid (Self-intersection[1 1]) and was repaired.']);
  });

  it('take no statement for what is not asked', async () => {
    const statements: string[] = [];
    const counting: Database = {
      ...database,
      query: (row, statement) => (statements.push(statement.sql), database.query(row, statement)),
    };
    const zones = await measure({ featureIds: water.slice(0, 5).map(({ id }) => id) }, {}, counting);
    expect(statements).toHaveLength(1);
    await Promise.all(zones.flatMap((zone) => [zone.coverage(), zone.coveredShare()]));
    expect(statements).toHaveLength(2);
  });
});

describe('zones are refused', () => {
  it.each<[string, () => RequestedZones, string, string]>([
    [
      'of no kind',
      () => ({}),
      'INVALID_ZONES',
      'zones has 0 of collection, featureIds and sceneIds; give exactly one.',
    ],
    ['of two kinds', () => ({ featureIds: [NOWHERE], sceneIds: [NOWHERE] }), 'INVALID_ZONES', 'zones has 2 of'],
    ['none', () => ({ featureIds: [] }), 'INVALID_ZONES', 'The request has 0 zones; give 1 to 1000.'],
    [
      'too many',
      () => ({ featureIds: Array.from({ length: 1001 }, () => NOWHERE) }),
      'INVALID_ZONES',
      'The request has 1001 zones; give 1 to 1000.',
    ],
    ['no identifier', () => ({ featureIds: ['x'] }), 'INVALID_ID', 'a zone "x"'],
    [
      'not stored',
      () => ({ featureIds: [water[0]!.id, NOWHERE] }),
      'ZONE_NOT_FOUND',
      `Feature ${NOWHERE} does not exist and cannot be a zone.`,
    ],
    [
      'no scene',
      () => ({ sceneIds: [NOWHERE] }),
      'ZONE_NOT_FOUND',
      `Scene ${NOWHERE} does not exist and cannot be a zone.`,
    ],
    [
      'not a collection',
      () => ({ collection: outline(FOOTPRINT) }),
      'INVALID_ZONES',
      'zones.collection has the type "Polygon"; it must be a FeatureCollection',
    ],
    ['without geometry', () => ({ collection: collection(null) }), 'INVALID_ZONES', 'Zone 0 has no geometry.'],
    [
      'a point',
      () => ({ collection: collection(outline(FOOTPRINT), { type: 'Point', coordinates: [0, 0] }) }),
      'INVALID_ZONES',
      'Zone 1 is a Point; a zone must be a Polygon or a MultiPolygon.',
    ],
    [
      'too detailed together',
      () => ({ collection: collection(...Array.from({ length: 201 }, () => outline(FOOTPRINT))) }),
      'GEOMETRY_TOO_LARGE',
      'has 5 vertices; the limit is 0',
    ],
    [
      'off the map',
      () => ({
        collection: collection({
          type: 'Polygon',
          coordinates: [
            [
              [0, 0],
              [200, 0],
              [200, 1],
              [0, 0],
            ],
          ],
        }),
      }),
      'INVALID_GEOMETRY',
      '[200,0]',
    ],
  ])('%s', async (_what, zones, code, message) => {
    await expect(measure(zones())).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('of a scene without georeference', async () => {
    const scene = await storeScene(database, FOOTPRINT, { crs: null, affine: null, gsdM: null, footprint: null });
    await expect(measure({ sceneIds: [scene.id] })).rejects.toThrow(`Zone ${scene.id} has no georeference`);
  });
});

describe('the plan of zones', () => {
  it('looks features up by the spatial indexes', async () => {
    await database.execute(Prisma.sql`ANALYZE feature`);
    const statements: Prisma.Sql[] = [];
    const recording: Database = {
      ...database,
      query: (row, statement) => (statements.push(statement), database.query(row, statement)),
    };
    const [zone] = await measure({ featureIds: water.slice(0, 2).map(({ id }) => id) }, {}, recording);
    await zone!.coverage();
    await zone!.nearest();
    const plans: string[] = [];
    await database.transaction(async (queries) => {
      // 160 rows fit a few pages; what matters is that the indexes can answer.
      await queries.execute(Prisma.sql`SET LOCAL enable_seqscan = off`);
      for (const statement of statements.slice(1)) {
        const rows = await queries.query(
          z.object({ 'QUERY PLAN': z.unknown() }),
          Prisma.sql`EXPLAIN (FORMAT JSON) ${statement}`,
        );
        plans.push(JSON.stringify(rows));
      }
    });
    expect(plans[0]).toContain('"feature_geometry_gist"');
    expect(plans[1]!.split('"feature_geography_gist"')).toHaveLength(3);
  });
});
