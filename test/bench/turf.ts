// Planar geometry of the service beside what Turf has for the same job: `npm run bench -- turf`. The ratio says how many
// times as long Turf takes; the last column says where the answers differ.
import { booleanClockwise, booleanPointInPolygon, kinks, lineChunk, lineString, polygon, rewind } from '@turf/turf';
import type { Position } from 'geojson';
import { meetingsUpTo } from '../../src/geojson-crossings.ts';
import { AreaMask } from '../../src/raster/area-mask.ts';
import { polygonToWgs84 } from '../../src/vector/polygon-geojson.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { signedArea } from '../../src/vector/simple-loops.ts';
import { tracePolygons } from '../../src/vector/trace-polygons.ts';
import { seededRandom } from '../seeded.ts';
import { noiseMask, maskOf } from '../vector/seeded-masks.ts';

/** Fewest processor seconds of five tries, garbage collection included. */
function secondsOf(work: () => void): number {
  const measured = Array.from({ length: 6 }, () => {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  });
  return Math.min(...measured.slice(1));
}

function compare(job: string, ours: () => void, turf: () => void, difference: string): void {
  const [own, other] = [secondsOf(ours), secondsOf(turf)];
  console.log(
    `| ${job} | ${(own * 1000).toFixed(1)} | ${(other * 1000).toFixed(1)} | ${(other / own).toFixed(1)} | ${difference} |`,
  );
}

const closed = (ring: readonly Position[]): Position[] => [...ring, ring[0]!];

function tangle(vertices: number): Position[] {
  const random = seededRandom(7);
  return closed(Array.from({ length: vertices }, () => [random(), 50 + random()]));
}

function star(vertices: number): Position[] {
  return closed(
    Array.from({ length: vertices }, (_, index) => {
      const angle = (2 * Math.PI * index) / vertices;
      const radius = 300 + 150 * (index % 2);
      return [512 + radius * Math.cos(angle), 512 + radius * Math.sin(angle)];
    }),
  );
}

console.log('| job | by hand, ms | Turf, ms | ratio | what else |\n|---|--:|--:|--:|---|');

const traced = tracePolygons(labelMask(maskOf(noiseMask(5, 1024, 1024, 0.55))));
const toWgs84 = (column: number, row: number): [number, number] => [5 + column * 1e-5, 52 - row * 1e-5];
const outlines = traced.map((outline) => polygonToWgs84(outline, toWgs84)).filter((one) => one.type === 'Polygon');
const rings = outlines.flatMap(({ coordinates }) => coordinates);
const disagreeing = rings.filter((ring) => booleanClockwise(ring) !== signedArea(ring) < 0).length;
compare(
  `winding of ${rings.length} rings: \`signedArea\`, \`booleanClockwise\``,
  () => rings.forEach((ring) => signedArea(ring)),
  () => rings.forEach((ring) => booleanClockwise(ring)),
  `${disagreeing} of the rings disagree`,
);
compare(
  `outlines of ${traced.length} polygons as GeoJSON: \`polygonToWgs84\`, and \`rewind\` of its result`,
  () => traced.forEach((outline) => polygonToWgs84(outline, toWgs84)),
  () => traced.forEach((outline) => rewind(polygonToWgs84(outline, toWgs84))),
  'rings must have their direction before they are cut at the antimeridian, so `rewind` would come on top',
);

const simple = { type: 'Polygon' as const, coordinates: [star(10_000)] };
compare(
  'crossings of an outline of 10,000 vertices without any: `meetingsUpTo`, `kinks`',
  () => void meetingsUpTo(simple, 1000, Infinity),
  () => void kinks(simple),
  'same answer',
);
const tangled = { type: 'Polygon' as const, coordinates: [tangle(1000)] };
compare(
  'crossings of a tangle of 1,000 vertices, at most 1,000 of them',
  () => void meetingsUpTo(tangled, 1000, Infinity),
  () => void kinks(tangled),
  `\`kinks\` cannot stop early: it lists ${kinks(tangled).features.length}`,
);

const area = star(1000);
const mask = new AreaMask([area as [number, number][]], 1024, 1024);
const areaPolygon = polygon([area]);
compare(
  'pixels of a 1024² scene in an area of 1,000 vertices: `AreaMask`, `booleanPointInPolygon` for one row in 64',
  () => {
    for (let row = 0; row < 1024; row++) mask.clearOutside(new Uint8Array(1024).fill(1), 0, row);
  },
  () => {
    for (let row = 0; row < 1024; row += 64) {
      for (let column = 0; column < 1024; column++) booleanPointInPolygon([column + 0.5, row + 0.5], areaPolygon);
    }
  },
  'multiply the ratio by 64',
);

const edge = lineString([
  [0, 60],
  [5, 60],
]);
const chunks = lineChunk(edge, 10, { units: 'kilometers' }).features.flatMap(({ geometry }) => geometry.coordinates);
const bulge = Math.max(...chunks.map(([, latitude]) => Math.abs(latitude! - 60)));
const pieces = (): Position[] => Array.from({ length: chunks.length / 2 }, (_, index) => [index, 60]);
compare(
  'an edge of 5° at 60° N in pieces: by shares, `lineChunk`',
  () => {
    for (let i = 0; i < 100; i++) pieces();
  },
  () => {
    for (let i = 0; i < 100; i++) lineChunk(edge, 10, { units: 'kilometers' });
  },
  `\`lineChunk\` follows the great circle, ${(bulge * 111_195).toFixed(0)} m beside the edge, which RFC 7946 has straight`,
);
