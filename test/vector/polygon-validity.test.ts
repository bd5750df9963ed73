import { PGlite } from '@electric-sql/pglite';
import { postgis } from '@electric-sql/pglite-postgis';
import type { Geometry } from 'geojson';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Affine } from '../../src/raster/affine.ts';
import { anchorPxFor } from '../../src/vector/anchor-distance.ts';
import type { ToWgs84 } from '../../src/vector/ground-position.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { polygonToPixels, polygonToWgs84 } from '../../src/vector/polygon-geojson.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { blobMask, hardMasks, maskOf, noiseMask } from './seeded-masks.ts';
import { projection, type Projection } from '../projection.ts';

const utm14 = await projection('+proj=utm +zone=14 +datum=WGS84');
const utm59s = await projection('+proj=utm +zone=59 +south +datum=WGS84');
const utm1s = await projection('+proj=utm +zone=1 +south +datum=WGS84');
const northPole = await projection('+proj=laea +lat_0=90 +lon_0=17 +datum=WGS84');
const southPole = await projection('+proj=stere +lat_0=-90 +lat_ts=-71 +datum=WGS84');

/** What PostGIS says of each geometry: why it is not valid, and its area in squared coordinate units. */
async function judged(db: PGlite, geometries: readonly Geometry[]): Promise<{ reason: string; area: number }[]> {
  const { rows } = await db.query<{ reason: string; area: number }>(
    `SELECT ST_IsValidReason(geometry) AS reason, ST_Area(geometry) AS area
     FROM (SELECT ST_GeomFromGeoJSON(value) AS geometry, ordinality
           FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY) AS given
     ORDER BY ordinality`,
    [JSON.stringify(geometries)],
  );
  return rows;
}

describe('PostGIS finds every polygon valid as it is, with its pixels as area', () => {
  let db: PGlite;
  beforeAll(async () => {
    db = await PGlite.create({ extensions: { postgis } });
    await db.exec('CREATE EXTENSION postgis');
  }, 300_000);
  afterAll(async () => db.close());

  const masks = [
    ...hardMasks(),
    ...[0.3, 0.5, 0.6, 0.7, 0.9].map((density, i) => noiseMask(900 + i, 90, 70, density)),
    blobMask(7, 160, 120, 17),
  ];

  it.each(masks)('$name in the scene frame', async (drawn) => {
    const labelled = labelMask(maskOf(drawn));
    const verdicts = await judged(db, tracePolygons(labelled, 8).map(polygonToPixels));
    const expected = Array.from({ length: labelled.labelCount }, (_, i) => ({
      reason: 'Valid Geometry',
      area: labelled.pixelCount(i + 1),
    }));
    expect(verdicts).toEqual(expected);
  });

  const wrapped = (longitude: number): number => (longitude > 180 ? longitude - 360 : longitude);
  const projected = ({ inverse }: Projection, [x0, dxColumn, dxRow, y0, dyColumn, dyRow]: Affine): ToWgs84 => {
    return (c, r) => inverse([x0 + c * dxColumn + r * dxRow, y0 + c * dyColumn + r * dyRow]);
  };
  const scenes: [string, ToWgs84][] = [
    ['north-up in UTM', projected(utm14, [486_000, 5, 0, 5_205_000, 0, -5])],
    ['rotated in UTM', projected(utm59s, [336_000, -0.143, -0.577, 7_840_000, -0.577, 0.143])],
    ['mirrored and askew in degrees', (c, r) => [10 + 0.001 * (c - 0.6 * r), 50 + 0.001 * (0.6 * c + r)]],
    ['across the antimeridian between pixel edges', (c, r) => [wrapped(179.9945 + 0.001 * c), 0.001 * -r]],
    ['across the antimeridian along pixel edges', (c, r) => [wrapped(180 + (c - 8) / 1024), -r / 1024]],
    ['across the antimeridian askew', (c, r) => [wrapped(179.99 + 0.001 * (c + 0.5 * r)), 0.001 * (0.5 * c - r)]],
    ['across the antimeridian in UTM', projected(utm1s, [166_021, 300, 0, 9_990_000, 0, -300])],
    ['with the south pole where pixels meet', projected(southPole, [-8000, 1000, 0, 5000, 0, -1000])],
    ['with the north pole where pixels meet', projected(northPole, [-6000, 1000, 0, 7000, 0, -1000])],
    ['mirrored, with the north pole where pixels meet', projected(northPole, [6000, -1000, 0, 7000, 0, -1000])],
    ['with the north pole at a corner', projected(northPole, [0, 25_000, 0, 0, 0, -25_000])],
    ['with the south pole at a corner, south up', projected(southPole, [0, 25_000, 0, 0, 0, 25_000])],
    ['with the north pole on an edge', projected(northPole, [-8000, 1000, 0, 0, 0, -1000])],
    ['with the south pole on an edge, turned', projected(southPole, [0, 0, 1000, -9000, 1000, 0])],
    ['with the north pole in a pixel', projected(northPole, [-6400, 1000, 0, 7100, 0, -1000])],
    ['beside the south pole', projected(southPole, [-30_500, 1000, 0, 5300, 0, -1000])],
  ];

  it.each(scenes)('every mask, %s', async (_where, toWgs84) => {
    for (const drawn of masks) {
      const labelled = labelMask(maskOf(drawn));
      const anchorPx = anchorPxFor(drawn.widthPx, drawn.heightPx, toWgs84);
      const verdicts = await judged(
        db,
        tracePolygons(labelled, anchorPx).map((traced) => polygonToWgs84(traced, toWgs84)),
      );
      expect(verdicts.map(({ reason }) => `${drawn.name}: ${reason}`)).toEqual(
        verdicts.map(() => `${drawn.name}: Valid Geometry`),
      );
    }
  });

  it.each(scenes.filter(([where]) => /degrees|askew|pixel edges/.test(where)))('areas, %s', async (_where, toWgs84) => {
    const [here, right, below] = [toWgs84(0, 0), toWgs84(1, 0), toWgs84(0, 1)];
    const pixelArea = (right[0] - here[0]) * (below[1] - here[1]) - (below[0] - here[0]) * (right[1] - here[1]);
    for (const drawn of masks) {
      const labelled = labelMask(maskOf(drawn));
      const verdicts = await judged(
        db,
        tracePolygons(labelled).map((traced) => polygonToWgs84(traced, toWgs84)),
      );
      verdicts.forEach(({ area }, i) => expect(area / Math.abs(pixelArea)).toBeCloseTo(labelled.pixelCount(i + 1), 3));
    }
  });
});
