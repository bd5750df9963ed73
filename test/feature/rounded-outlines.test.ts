import type { MultiPolygon, Polygon, Position } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { exported, exportServiceOn } from '../export/stored-exports.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { tracedAnswer } from '../../src/run/run-answer.ts';
import { groundOf } from '../../src/run/vectorise-mask.ts';
import { SceneRepository } from '../../src/scene/scene.repository.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { rowFromProbability } from '../../src/vector/threshold-row.ts';
import { newScene, startSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';

const SIDE_PX = 60;
let database: Database;
let ids: string[];

/** A mask of noise: parts that touch at corners, holes, single pixels. */
function noise(seed: number): MaskRuns {
  const random = seededRandom(seed);
  const mask = new MaskRuns(SIDE_PX, SIDE_PX);
  for (let y = 0; y < SIDE_PX; y++) {
    mask.pushRow(rowFromProbability(y, Float32Array.from({ length: SIDE_PX }, random), 0.45));
  }
  return mask;
}

/** Scenes of pixels of half a metre, askew, at the antimeridian and far north. */
const SCENES = [
  { crs: 'EPSG:32632', affine: [500_000, 0.48, 0.13, 5_600_000, 0.13, -0.48] as const },
  { crs: 'EPSG:4326', affine: [179.9999, 5e-6, 0, 10, 0, -5e-6] as const },
  { crs: 'EPSG:32633', affine: [450_000, 0.5, 0, 9_200_000, 0, -0.5] as const },
];

beforeAll(async () => {
  database = await openTestDatabase();
  const store = new SegmentationRepository(database);
  for (const [index, place] of SCENES.entries()) {
    const size = { widthPx: SIDE_PX, heightPx: SIDE_PX };
    const scene = await new SceneRepository(database).insert(newScene({ ...size, ...place, gsdM: 0.5 }));
    const found = { masks: [noise(index)], validPixels: SIDE_PX ** 2 };
    const { result } = await tracedAnswer(scene, await groundOf(scene), found, 0, { minAreaM2: 0, windows: 1 });
    const segmentation = await startSegmentation(database, scene.id);
    await store.storeResult(segmentation, { ...result, nearM: 0, adjacency: [] });
  }
  ids = (await database.prisma.feature.findMany()).map(({ id }) => id);
});
afterAll(() => database.close());

type Outline = Polygon | MultiPolygon;
const ringsOf = ({ type, coordinates }: Outline): Position[][][] =>
  type === 'Polygon' ? [coordinates as Position[][]] : (coordinates as Position[][][]);

/** Twice the area of a ring, positive when it runs counter-clockwise. */
const turned = (ring: Position[]): number =>
  ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i]![0]! * y! - x! * ring[i]![1]!, 0);

async function expectGood(outlines: readonly Outline[]): Promise<void> {
  const Row = z.object({ wrong: z.number() });
  const [row] = await database.query(
    Row,
    Prisma.sql`
      SELECT count(*)::float8 AS wrong
      FROM json_array_elements_text(${JSON.stringify(outlines.map((one) => JSON.stringify(one)))}::text::json) AS g (text)
      WHERE NOT ST_IsValid(ST_GeomFromGeoJSON(g.text)) OR ST_IsEmpty(ST_GeomFromGeoJSON(g.text))`,
  );
  expect(row).toEqual({ wrong: 0 });
  for (const outline of outlines) {
    for (const [exterior, ...holes] of ringsOf(outline)) {
      const [west] = exterior![0]!;
      // About the first corner, so that small rings keep their digits.
      const moved = (ring: Position[]) => ring.map(([x, y]): Position => [x! - west!, y! - exterior![0]![1]!]);
      expect(turned(moved(exterior!))).toBeGreaterThan(0);
      for (const hole of holes) expect(turned(moved(hole))).toBeLessThan(0);
    }
  }
}

describe('outlines are valid, and wound by RFC 7946', () => {
  it.each([
    [0, 0],
    [3, 0],
    [5, 0],
    [6, 0],
    [7, 0],
    [15, 0],
    [5, 2],
    [7, 1.5],
    [15, 3],
  ])('with %i decimal places, simplified by %d m', async (precision, simplifyM) => {
    const outlines = await new FeatureRepository(database).geometries(ids, { precision, simplifyM });
    const parsed = [...outlines.values()].map((text) => JSON.parse(text) as Outline);
    expect(parsed).toHaveLength(ids.length);
    await expectGood(parsed);
    const digits = Math.max(
      ...[...outlines.values()].flatMap((text) => text.match(/(?<=\.)\d+/g) ?? ['']).map((d) => d.length),
    );
    expect(digits).toBeLessThanOrEqual(precision);
  });

  it('in files too', async () => {
    const request = { precision: 5, simplifyM: 1 };
    const file = JSON.parse((await exported(exportServiceOn(database, 10_000), 'geojson', request)).toString()) as {
      features: { geometry: Outline }[];
    };
    expect(file.features).toHaveLength(ids.length);
    await expectGood(file.features.map(({ geometry }) => geometry));
  });
});
