import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, bench, describe } from 'vitest';
import { adjacency } from '../../src/vector/adjacency.ts';
import { fromCocoCounts, toCocoCounts } from '../../src/vector/coco-counts.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { MaskRuns } from '../../src/vector/mask-runs.ts';
import { rowFromProbability } from '../../src/vector/threshold-row.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { realMask } from '../vector/real-mask.ts';
import { byteMask } from '../vector/seeded-masks.ts';

const SIDE = 4096;

/** The real mask, mirrored at its edges until it fills the square: real outlines at their own scale. */
const tile = await realMask();
const mirrored = (i: number, length: number): number =>
  Math.floor(i / length) % 2 === 0 ? i % length : length - 1 - (i % length);
const large = byteMask('NAIP prairie, mirrored', SIDE, SIDE, (c, r) => {
  return tile.bytes[mirrored(r, tile.heightPx) * tile.widthPx + mirrored(c, tile.widthPx)] === 1;
});
const probability = Float32Array.from(large.bytes, (inside) => 0.1 + 0.8 * inside);

function toRuns(firstRow: number): MaskRuns {
  const mask = new MaskRuns(SIDE, SIDE);
  for (let y = 0; y + firstRow < SIDE; y++) {
    const row = probability.subarray((y + firstRow) * SIDE, (y + firstRow + 1) * SIDE);
    mask.pushRow(rowFromProbability(y, row, 0.5));
  }
  return mask;
}

const folder = mkdtempSync(join(tmpdir(), 'terraql-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));
const png = join(folder, 'mask.png');
await sharp(
  large.bytes.map((inside) => 255 * inside),
  { raw: { width: SIDE, height: SIDE, channels: 1 } },
)
  .toColourspace('b-w')
  .png({ compressionLevel: 1 })
  .toFile(png);

/**
 * Processor seconds that GDALPolygonize alone takes, raster and polygons in memory, after Python and the picture are
 * loaded; processor time, because it says the same on a busy machine.
 */
const POLYGONIZE_ALONE = `
import sys, time
from osgeo import gdal, ogr
source = gdal.GetDriverByName('MEM').CreateCopy('', gdal.Open(sys.argv[1]))
times = []
for _ in range(3):
    store = ogr.GetDriverByName('Memory').CreateDataSource('') # layers die with their store
    layer = store.CreateLayer('polygons')
    start = time.process_time()
    gdal.Polygonize(source.GetRasterBand(1), source.GetRasterBand(1), layer, -1)
    times.append(time.process_time() - start)
print(gdal.__version__, layer.GetFeatureCount(), min(times))
`;

/** The first Python that has GDAL's bindings; null when none has. */
function pythonWithGdal(): string | null {
  const hasGdal = (python: string): boolean => spawnSync(python, ['-c', 'from osgeo import gdal']).status === 0;
  return ['python3', '/usr/bin/python3'].find(hasGdal) ?? null;
}

function gdalAlone(python: string): { version: string; count: number; seconds: number } {
  const [version, count, seconds] = execFileSync(python, ['-c', POLYGONIZE_ALONE, png], { encoding: 'utf8' })
    .trim()
    .split(' ');
  return { version: version!, count: Number(count), seconds: Number(seconds) };
}

/** Processor seconds, those of garbage collection on other threads included. */
function fastestOf(times: number, work: () => void): number {
  const measured = Array.from({ length: times }, () => {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  });
  return Math.min(...measured);
}

const runs = toRuns(0);
const labelled = labelMask(runs);
const shifted = labelMask(toRuns(37));
const polygons = tracePolygons(labelled);
console.log(
  `${SIDE}² mask: ${runs.pixelCount} pixels in ${runs.runCount} runs, ${polygons.length} polygons, ${adjacency(labelled, shifted).length} pairs with itself 37 rows up`,
);

const python = pythonWithGdal();
if (python === null) console.log('GDAL is not installed (packages gdal-bin and python3-gdal): no comparison');
else {
  const gdal = gdalAlone(python);
  const ours = fastestOf(5, () => tracePolygons(labelMask(toRuns(0))));
  const fromRuns = fastestOf(5, () => tracePolygons(labelMask(runs)));
  console.log(
    `GDAL ${gdal.version} GDALPolygonize alone, in memory: ${gdal.seconds.toFixed(3)} s, ${gdal.count} polygons`,
  );
  console.log(
    `probabilities to runs to polygons: ${ours.toFixed(3)} s, ${(gdal.seconds / ours).toFixed(1)} times as fast`,
  );
  console.log(`runs to polygons: ${fromRuns.toFixed(3)} s, ${(gdal.seconds / fromRuns).toFixed(1)} times as fast`);
}

const options = { iterations: 5, time: 0, warmupIterations: 1, warmupTime: 0 };

describe(`${SIDE} x ${SIDE} real mask`, () => {
  bench('probabilities to runs', () => void toRuns(0), options);
  bench('label', () => void labelMask(runs), options);
  bench('label, sieve below 20 pixels', () => void labelMask(runs, { minPixelCount: 20 }), options);
  bench('trace', () => void tracePolygons(labelled), options);
  bench('probabilities to polygons', () => void tracePolygons(labelMask(toRuns(0))), options);
  bench('adjacency with another mask', () => void adjacency(labelled, shifted), options);
  bench('COCO counts and back', () => void fromCocoCounts(toCocoCounts(runs), SIDE, SIDE), options);
  if (python !== null) {
    bench(
      'gdal_polygonize.py: Python start, PNG read, polygonise, GeoJSON written',
      () => {
        const output = join(folder, 'gdal.geojson');
        execFileSync('gdal_polygonize.py', ['-q', '-overwrite', '-mask', png, png, '-of', 'GeoJSON', output], {
          stdio: 'ignore',
        });
        rmSync(output);
      },
      { ...options, iterations: 1, warmupIterations: 0 },
    );
  }
});
