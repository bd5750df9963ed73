import type { Polygon } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { object, string } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { FeatureService } from '../../src/feature/feature.service.ts';
import { MEASURES } from '../../src/feature/measures.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { EXTENT, type FeatureTile, MAX_TILE_BYTES, MAX_TILE_FEATURES } from '../../src/tiles/feature-tile.ts';
import { FeatureTileRepository } from '../../src/tiles/feature-tile.repository.ts';
import { FeatureTileService } from '../../src/tiles/feature-tile.service.ts';
import { TileCache } from '../../src/tiles/tile-cache.ts';
import { parseTile, squarePosition, type Tile } from '../../src/tiles/tile-grid.ts';
import { box, featuresOf, resultOf, runningSegmentation, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';
import { decodeTile, doubleArea, type Layers } from './decoded-tile.ts';

/** Tile of a level that holds a position. */
function tileAt(longitude: number, latitude: number, z: number): Tile {
  const [x, y] = squarePosition(longitude, latitude);
  return { z, x: Math.floor(x * 2 ** z), y: Math.floor(y * 2 ** z) };
}

const BoxesRow = object({ boxes: string() });

/** Fields of random size and place, beside the three features of the first question. */
const FIELDS = 600;

const WITH_HOLE: Polygon = {
  type: 'Polygon',
  coordinates: [
    [
      [10.1, 50.1],
      [10.2, 50.1],
      [10.2, 50.2],
      [10.1, 50.2],
      [10.1, 50.1],
    ],
    [
      [10.12, 50.12],
      [10.12, 50.18],
      [10.18, 50.18],
      [10.18, 50.12],
      [10.12, 50.12],
    ],
  ],
};

describe('vector tiles of features', () => {
  let database: Database;
  let tiles: FeatureTileService;
  let cache: TileCache<FeatureTile>;
  const layersOf = ({ bytes }: FeatureTile) => decodeTile(bytes);

  beforeAll(async () => {
    database = await openTestDatabase();
    cache = new TileCache(2 ** 20, ({ bytes }) => bytes.length);
    const features = new FeatureService(new FeatureRepository(database), { maxVertices: 1000, nearM: 50 });
    tiles = new FeatureTileService(new FeatureTileRepository(database), features, cache, 'default');
    const { scene, segmentation } = await runningSegmentation(database);
    const store = new SegmentationRepository(database);
    const tiny = box(10.5, 50.5, 10.5001, 50.5001);
    await store.storeResult(segmentation, resultOf(featuresOf(WITH_HOLE, tiny, box(10.6, 50.6, 10.9, 50.9))));
    const many = await startSegmentation(database, scene.id, { prompt: 'many' });
    const random = seededRandom(7);
    const fields = Array.from({ length: FIELDS }, () => {
      const [west, south] = [10 + random() * 0.9, 50 + random() * 0.9];
      return box(west, south, west + 0.002 + random() * 0.01, south + 0.002 + random() * 0.01);
    });
    const sure = featuresOf(...fields).map((feature) => ({ ...feature, meanProbability: 0.75 }));
    await store.storeResult(many, resultOf(sure, { nearM: 0 }));
  });
  afterAll(() => database.close());

  it('draw outlines with every measure and the identifier as text', async () => {
    const { features } = layersOf(await tiles.tile(tileAt(10.15, 50.15, 10), { promptContains: 'water' }));
    const stored = await database.prisma.feature.findFirstOrThrow({
      where: { label: 1, segmentation: { prompt: 'Where is water?' } },
    });
    const drawn = features!.find(({ properties }) => properties['id'] === stored.id)!;
    expect(drawn.properties['prompt']).toBe('Where is water?');
    expect(drawn.properties['areaM2']).toBeCloseTo(stored.areaM2!, 3);
    const present = MEASURES.filter(({ missing }) => missing === 'NEVER').map(({ name }) => name);
    expect(Object.keys(drawn.properties)).toEqual(
      expect.arrayContaining(['id', 'sceneId', 'segmentationId', ...present]),
    );
  });

  it('keep holes, wind exteriors and holes as the specification says, and stay within the buffer', async () => {
    const { features } = layersOf(await tiles.tile(tileAt(10.15, 50.15, 12), {}));
    for (const { polygons } of features!) {
      for (const [exterior, ...holes] of polygons) {
        expect(doubleArea(exterior!)).toBeGreaterThan(0);
        for (const hole of holes) expect(doubleArea(hole)).toBeLessThan(0);
      }
      const positions = polygons.flat(2);
      expect(positions.every(({ x, y }) => [x, y].every((value) => value >= -64 && value <= EXTENT + 64))).toBe(true);
    }
    const water = layersOf(await tiles.tile(tileAt(10.15, 50.15, 10), { promptContains: 'water' }));
    expect(water.features!.some(({ polygons }) => polygons.some((rings) => rings.length === 2))).toBe(true);
  });

  it('place an outline where it lies, to a unit of the tile', async () => {
    const tile = tileAt(10.15, 50.15, 10);
    const { features } = layersOf(await tiles.tile(tile, { promptContains: 'water' }));
    const drawn = features!.find(({ polygons }) => polygons.some((rings) => rings.length === 2))!;
    const [exterior] = drawn.polygons[0]!;
    const expected = WITH_HOLE.coordinates[0]!.map(([longitude, latitude]) => {
      const [x, y] = squarePosition(longitude!, latitude!);
      return [(x * 2 ** tile.z - tile.x) * EXTENT, (y * 2 ** tile.z - tile.y) * EXTENT] as const;
    });
    for (const [x, y] of expected) {
      const nearest = Math.min(...exterior!.map((position) => Math.hypot(position.x - x, position.y - y)));
      expect(nearest).toBeLessThanOrEqual(1);
    }
  });

  it('count what is smaller than a pixel, each feature once over the tiles of a level', async () => {
    for (const z of [0, 5, 9]) {
      const { columns, rows } = { columns: tileAt(10, 51, z), rows: tileAt(11, 50, z) };
      let drawn = new Set<unknown>();
      let counted = 0;
      for (let x = columns.x; x <= rows.x; x++) {
        for (let y = columns.y; y <= rows.y; y++) {
          const { features = [], cells = [] }: Layers = layersOf(await tiles.tile({ z, x, y }, {}));
          drawn = new Set([...drawn, ...features.map(({ properties }) => properties['id'])]);
          counted += cells.reduce((sum, { properties }) => sum + Number(properties['count']), 0);
        }
      }
      expect([z, drawn.size + counted]).toEqual([z, FIELDS + 3]);
    }
  });

  it('sum up cells as the table does', async () => {
    const { cells } = layersOf(await tiles.tile({ z: 0, x: 0, y: 0 }, {}));
    const { _sum } = await database.prisma.feature.aggregate({ _sum: { areaM2: true } });
    const area = cells!.reduce((sum, { properties }) => sum + Number(properties['areaM2']), 0);
    expect(area / _sum.areaM2!).toBeCloseTo(1, 9);
  });

  it('leave out no more than the limits ask for, and say how many', async () => {
    const repository = new FeatureTileRepository(database);
    const tile = tileAt(10.5, 50.5, 8);
    const whole = await repository.read({ tile, filter: {}, downTo: null });
    const downTo = await repository.downTo(tile, {}, 99);
    const fewer = await repository.read({ tile, filter: {}, downTo });
    expect(fewer.drawn).toBe(100);
    const cells = layersOf(fewer).cells!;
    const inTile = cells.reduce((sum, { properties }) => sum + Number(properties['left_out']), 0);
    expect(fewer.leftOut).toBe(inTile);
    expect(inTile).toBeGreaterThan(0);
    expect(inTile).toBeLessThanOrEqual(whole.drawn - 100);
    for (const z of [6, 8, 9, 11]) {
      const made = await tiles.tile(tileAt(10.5, 50.5, z), {});
      expect(made.bytes.length).toBeLessThanOrEqual(MAX_TILE_BYTES);
      expect(made.drawn).toBeLessThanOrEqual(MAX_TILE_FEATURES);
    }
  });

  it('are empty where there is nothing', async () => {
    expect((await tiles.tile(tileAt(-100, -40, 12), {})).bytes).toHaveLength(0);
  });

  it('are announced for many reviewed features by few boxes, which contain them all and not much more', async () => {
    const random = seededRandom(3);
    const towns = [
      [5, 52],
      [140, -35],
      [-179.95, 65],
      [0, 0],
    ] as const;
    const outlines = Array.from({ length: 400 }, (_, index) => {
      const [west, south] = towns[index % towns.length]!;
      const [x, y] = [west + random() / 10, south + random() / 10];
      return box(x, y, x + 0.001, y + 0.001);
    });
    const halves = [box(179.9, 10, 180, 10.1), box(-180, 10, -179.9, 10.1)].map(({ coordinates }) => coordinates);
    const texts = [...outlines, { type: 'MultiPolygon', coordinates: halves }].map((outline) =>
      JSON.stringify(outline),
    );
    const [row] = await database.query(
      BoxesRow,
      Prisma.sql`
        SELECT boxes_around(array_agg(ST_GeomFromGeoJSON(o.text)), 50)::text AS boxes
        FROM json_array_elements_text(${JSON.stringify(texts)}::text::json) AS o (text)`,
    );
    const boxes = JSON.parse(row!.boxes) as [number, number, number, number][];
    expect(boxes).toHaveLength(50);
    for (const { coordinates } of outlines) {
      const [[west = NaN, south = NaN] = [], , [east = NaN, north = NaN] = []] = coordinates[0]!;
      expect(boxes.some(([w, s, e, n]) => w <= west && s <= south && e >= east && n >= north)).toBe(true);
    }
    for (const [west, south, east, north] of boxes) {
      expect(east - west).toBeLessThan(0.12);
      expect(north - south).toBeLessThan(0.12);
    }
    expect(row!.boxes.length).toBeLessThan(8000);
  });

  it('forget exactly what a change touches', async () => {
    const [here, elsewhere] = [tileAt(10.15, 50.15, 12), tileAt(10.8, 50.8, 12)];
    const [before, other] = [await tiles.tile(here, {}), await tiles.tile(elsewhere, {})];
    cache.change('another', [-180, -90, 180, 90]);
    expect(await tiles.tile(here, {})).toBe(before);
    cache.change('default', [10.1, 50.1, 10.2, 50.2]);
    expect(await tiles.tile(elsewhere, {})).toBe(other);
    expect(await tiles.tile(here, {})).not.toBe(before);
  });
});

describe('a tile address', () => {
  it.each(['25/0/0', '1/2/0', '0/0/1', '-1/0/0', '1.5/0/0', 'x/0/0', '1//0', '3/8/0'])('%s is refused', (text) => {
    const [z = '', x = '', y = ''] = text.split('/');
    expect(() => parseTile(z, x, y)).toThrow(/does not exist/);
  });
});
