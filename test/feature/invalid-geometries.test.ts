import type { MultiPolygon, Polygon, Position } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZoneRepository } from '../../src/analysis/zone.repository.ts';
import { ZoneService } from '../../src/analysis/zone.service.ts';
import type { Database } from '../../src/database/database.ts';
import type { RequestedFilter } from '../../src/feature/check-filter.ts';
import { SPATIAL_PREDICATES } from '../../src/feature/feature.filter.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { FeatureService } from '../../src/feature/feature.service.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { cell, METRE, storeFeatures, type StoredIds } from './stored-features.ts';

let database: Database;
let features: FeatureService;
let ids: StoredIds;
beforeAll(async () => {
  database = await openTestDatabase();
  ({ ids } = await storeFeatures(database));
  features = new FeatureService(new FeatureRepository(database), { maxVertices: 1000, nearM: 50 });
});
afterAll(() => database.close());

const parts = (...polygons: Polygon[]): MultiPolygon => ({
  type: 'MultiPolygon',
  coordinates: polygons.map(({ coordinates }) => coordinates),
});
const ring = (...metres: [number, number][]): Position[] => metres.map(([x, y]) => [10 + x * METRE, y * METRE]);

/** What a client may send, each with the area that it stands for. */
const GEOMETRIES: Record<string, readonly [given: Polygon | MultiPolygon, meant: Polygon | MultiPolygon]> = {
  'parts that overlap': [parts(cell(-10, 90, 10, 90), cell(60, 150, 10, 90)), cell(-10, 150, 10, 90)],
  'parts that share an edge': [parts(cell(-10, 60, 10, 90), cell(60, 150, 10, 90)), cell(-10, 150, 10, 90)],
  'a part within another': [parts(cell(-10, 150, 10, 90), cell(20, 40, 20, 40)), cell(-10, 150, 10, 90)],
  'the same part twice': [parts(cell(-10, 150, 10, 90), cell(-10, 150, 10, 90)), cell(-10, 150, 10, 90)],
  'a bow tie': [
    { type: 'Polygon', coordinates: [ring([6, 6], [94, 94], [94, 6], [6, 94], [6, 6])] },
    parts(
      { type: 'Polygon', coordinates: [ring([6, 6], [50, 50], [6, 94], [6, 6])] },
      { type: 'Polygon', coordinates: [ring([94, 6], [94, 94], [50, 50], [94, 6])] },
    ),
  ],
};

describe.each(Object.entries(GEOMETRIES))('%s', (_name, [given, meant]) => {
  const found = async (filter: RequestedFilter): Promise<[string[], string[]]> => {
    const warnings: string[] = [];
    const page = await features.find(filter, undefined, { first: 50 }, (warning) => void warnings.push(warning));
    return [page.edges.map(({ node }) => node.id), warnings];
  };

  it.each(SPATIAL_PREDICATES)('as the geometry of %s stands for its area, with a warning', async (predicate) => {
    const bounded = { sceneId: ids.scene };
    const [expected, none] = await found({ ...bounded, [predicate]: meant });
    const [answer, warnings] = await found({ ...bounded, [predicate]: given });
    expect(answer).toEqual(expected);
    expect([none.length, warnings.length]).toEqual([0, 1]);
    const [nested, once] = await found({
      ...bounded,
      not: { or: [{ and: [{ sceneId: ids.scene, [predicate]: given }] }] },
    });
    expect(nested).toHaveLength(6 - expected.length);
    expect(once).toHaveLength(1);
  });

  it('stands for its area where distances are measured, and beside a neighbour', async () => {
    for (const withinM of [0, 5, 40]) {
      const [expected] = await found({ near: { geometry: meant, withinM } });
      expect((await found({ near: { geometry: given, withinM } }))[0]).toEqual(expected);
    }
    const [expected] = await found({ adjacentTo: { within: meant } });
    expect((await found({ adjacentTo: { within: given } }))[0]).toEqual(expected);
  });

  it('stands for its area as a zone and as a place of scenes', async () => {
    const zones = new ZoneService(features, new ZoneRepository(database), { maxVertices: 1000 });
    const collection = (geometry: Polygon | MultiPolygon) => ({
      type: 'FeatureCollection',
      features: [{ type: 'Feature', properties: {}, geometry }],
    });
    const [one] = await zones.measure({ collection: collection(given) }, {});
    const [other] = await zones.measure({ collection: collection(meant) }, {});
    expect(one!.areaM2 / other!.areaM2).toBeCloseTo(1, 6);
    expect((await one!.coverage()).coveredAreaM2).toBeCloseTo((await other!.coverage()).coveredAreaM2, 3);
    const scenes = await new SceneRepository(database).list({ intersects: given }, { first: 9, after: null });
    const expected = await new SceneRepository(database).list({ intersects: meant }, { first: 9, after: null });
    expect(scenes.edges.map(({ node }) => node.id)).toEqual(expected.edges.map(({ node }) => node.id));
  });
});
