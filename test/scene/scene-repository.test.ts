import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { box, newScene } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';

let database: Database;
let scenes: SceneRepository;
beforeAll(async () => {
  database = await openTestDatabase();
  scenes = new SceneRepository(database);
});
afterAll(() => database.close());

describe('a stored scene', () => {
  it('comes back as it went in, with its geodesic area', async () => {
    const given = newScene({
      nodata: -9999.5,
      stretch: [
        { min: 1, max: 2 },
        { min: 3, max: 4 },
        { min: 0.5, max: 6 },
      ],
      blobKey: 'k',
    });
    const stored = await scenes.insert(given);
    // The cell between two parallels and two meridians: edges of RFC 7946 follow the parallels. Snyder, USGS PP 1395, 3-12
    expect(stored).toEqual({
      ...given,
      keepUntil: null,
      imageDeletedAt: null,
      id: stored.id,
      createdAt: expect.any(Date),
      areaM2: expect.closeTo(7_892_218_857.987, 0),
    });
    expect(await scenes.byId(stored.id)).toEqual(stored);
  });

  it.each([Number.NaN, -Infinity, -3.402_823_466_385_288_6e38])('may have %d for no data', async (nodata) => {
    expect((await scenes.insert(newScene({ nodata }))).nodata).toBe(nodata);
  });

  it('has no area without a footprint', async () => {
    const plain = newScene({ crs: null, affine: null, gsdM: null, footprint: null, acquiredAt: null });
    expect(await scenes.insert(plain)).toMatchObject({ ...plain, areaM2: null });
  });

  it('is gone once removed', async () => {
    const stored = await scenes.insert(newScene());
    expect(await scenes.remove(stored.id)).toEqual(stored);
    expect([await scenes.remove(stored.id), await scenes.byId(stored.id), await scenes.remove('nonsense')]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

describe('the list of scenes', () => {
  it('is newest first, filtered, in pages', async () => {
    for (const [index, name] of ['Alps 1', 'Alps_2', 'Sea', 'alps 3'].entries()) {
      const footprint = box(20 + index, 50, 20.5 + index, 51);
      await scenes.insert(newScene({ name, footprint, acquiredAt: new Date(Date.UTC(2020 + index, 0)) }));
    }
    const page = await scenes.list({ name: 'ALPS' }, { first: 2, after: null });
    const rest = await scenes.list({ name: 'ALPS' }, { first: 2, after: page.edges[1]!.cursor });
    expect([...page.edges, ...rest.edges].map(({ node }) => node.name)).toEqual(['alps 3', 'Alps_2', 'Alps 1']);
    expect([page.hasNextPage, await page.totalCount(), rest.hasNextPage]).toEqual([true, 3, false]);
    const back = await scenes.list({ name: 'ALPS' }, { last: 2 });
    expect(back.edges.map(({ node }) => node.name)).toEqual(['Alps_2', 'Alps 1']);
    expect([back.hasPreviousPage, back.hasNextPage, rest.hasPreviousPage]).toEqual([true, false, true]);
    const named = async (filter: Parameters<SceneRepository['list']>[0]) =>
      (await scenes.list(filter, { first: 9, after: null })).edges.map(({ node }) => node.name);
    expect(await named({ name: '_' })).toEqual(['Alps_2']);
    expect(await named({ intersects: box(21.4, 50, 22.1, 50.1) })).toEqual(['Sea', 'Alps_2']);
    expect(await named({ acquired: { from: new Date(Date.UTC(2021, 0)), to: new Date(Date.UTC(2022, 0)) } })).toEqual([
      'Sea',
      'Alps_2',
    ]);
  });
});
