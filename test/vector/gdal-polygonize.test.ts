import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FeatureCollection, Polygon, Position } from 'geojson';
import { beforeAll, describe, expect, it } from 'vitest';
import { labelMask } from '../../src/vector/label-mask.ts';
import { polygonToPixels } from '../../src/vector/polygon-geojson.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { REAL_MASK_PATH, realMask } from './real-mask.ts';
import { maskOf } from './seeded-masks.ts';

const run = promisify(execFile);
const gdalMissing = await run('gdal_polygonize.py', ['--help']).then(
  () => null,
  (error: Error) => error.message.split('\n')[0]!,
);
if (gdalMissing !== null)
  console.warn(`Not compared with a running gdal_polygonize.py (package gdal-bin): ${gdalMissing}`);

describe('polygons of a real mask', () => {
  let polygons: Polygon[];
  beforeAll(async () => {
    polygons = tracePolygons(labelMask(maskOf(await realMask()))).map(polygonToPixels);
  });

  it('are as many and as large as those that GDAL made', async () => {
    const path = REAL_MASK_PATH.replace('.png', '.gdal.json');
    const gdal = JSON.parse(await readFile(path, 'utf8')) as {
      polygonCount: number;
      totalAreaPx: number;
      areasPx: number[];
    };
    expect(polygons).toHaveLength(gdal.polygonCount);
    const areas = polygons.map(areaPx).toSorted((a, b) => a - b);
    expect(areas).toEqual(gdal.areasPx);
    expect(areas.reduce((sum, area) => sum + area)).toBe(gdal.totalAreaPx);
  });

  it.skipIf(gdalMissing !== null)('have the outlines, edge by edge, that the installed GDAL draws', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'terraql-polygonize-'));
    try {
      const output = join(folder, 'gdal.geojson');
      await run('gdal_polygonize.py', ['-q', '-mask', REAL_MASK_PATH, REAL_MASK_PATH, '-of', 'GeoJSON', output]);
      const gdal = JSON.parse(await readFile(output, 'utf8')) as FeatureCollection<Polygon>;
      expect(polygons.map(outlineOf).toSorted()).toEqual(
        gdal.features.map(({ geometry }) => outlineOf(geometry)).toSorted(),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function areaPx({ coordinates }: Polygon): number {
  const ringArea = (ring: Position[]): number =>
    ring.slice(1).reduce((twice, [x, y], i) => twice + ring[i]![0]! * y! - x! * ring[i]![1]!, 0) / 2;
  const [exterior, ...holes] = coordinates.map((ring) => Math.abs(ringArea(ring)));
  return holes.reduce((area, hole) => area - hole, exterior!);
}

/** Every unit edge of a polygon in one order, whichever way and from wherever its rings are drawn. */
function outlineOf({ coordinates }: Polygon): string {
  const edges = coordinates.flatMap((ring) =>
    ring.slice(1).flatMap(([x, y], i) => {
      const [x0, y0] = [Math.min(x!, ring[i]![0]!), Math.min(y!, ring[i]![1]!)];
      const isVertical = x === ring[i]![0];
      const length = isVertical ? Math.abs(y! - ring[i]![1]!) : Math.abs(x! - ring[i]![0]!);
      return Array.from({ length }, (_, k) => (isVertical ? `v${x0},${y0 + k}` : `h${x0 + k},${y0}`));
    }),
  );
  return edges.toSorted().join(' ');
}
