/**
 * Range reads of a Cloud Optimized GeoTIFF over https, by TerraQL and by GDAL's `/vsicurl/`, for the same windows:
 * `npm run bench -- sources`. Needs GDAL and its module for Python (Debian: gdal-bin, python3-gdal). Prints requests, bytes
 * and seconds; ends with 1 where TerraQL needs more requests or bytes than the better of GDAL's settings, or reads other pixels.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ImageSource } from '../../src/imagery/image-source.ts';
import { openImage, openRanges } from '../../src/imagery/open-image.ts';
import { openRemoteFiles } from '../../src/remote/open-remote-files.ts';
import { IMAGERY } from '../http/served-app.ts';
import { temporaryFolder } from '../inference/model-folder.ts';
import { RangeServer } from '../remote/range-server.ts';
import { seededRandom } from '../seeded.ts';

const run = promisify(execFile);
const PYTHON = process.env['TERRAQL_BENCH_PYTHON_GDAL'] ?? '/usr/bin/python3';
const SCRIPT = path.join(import.meta.dirname, 'sources/vsicurl.py');
const SIDE = 8192;
const WINDOWS = 16;

/** Left, top and side in pixels of the image, and the side that it is read at. */
type Window = readonly [x: number, y: number, side: number, out: number];
interface Reading {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly hashes: readonly string[];
}

const folder = await temporaryFolder();
const file = path.join(folder, 'image.tif');
const options =
  '-q -of COG -b 1 -b 2 -b 3 -r bilinear -co COMPRESS=DEFLATE -co PREDICTOR=YES -co OVERVIEW_RESAMPLING=AVERAGE';
const original = path.join(IMAGERY, 'naip_prairie_utm14n_5m_rgbn_cog.tif');
await run('gdal_translate', [...options.split(' '), '-outsize', String(SIDE), String(SIDE), original, file]);
const bytes = await readFile(file);
const server = await new RangeServer().start();
server.files.set('/image.tif', { bytes, etag: '"v1"' });
let missed = 0;
server.other = (_, response) => {
  missed += 1;
  response.writeHead(404).end();
};

type Timed = Pick<Reading, 'seconds' | 'hashes'>;

async function measured(reading: () => Promise<Timed>): Promise<Reading> {
  server.reset();
  missed = 0;
  const result = await reading();
  return { ...result, requests: server.requests.length + missed, bytes: server.sentBytes };
}

async function byTerraql(windows: readonly Window[]): Promise<Timed> {
  const began = performance.now();
  const remote = openRemoteFiles(server.client({ idleMs: 30_000 }));
  const found = await remote.files.find(`${server.origin}/image.tif`);
  if (found.kind !== 'RANGES') throw new Error('The image was copied.');
  const hashes = await read(await openRanges(found.source, SIDE ** 2), windows);
  await remote.close();
  return { seconds: (performance.now() - began) / 1000, hashes };
}

async function fromDisk(windows: readonly Window[]): Promise<number> {
  const began = performance.now();
  await read(await openImage(file, SIDE ** 2), windows);
  return (performance.now() - began) / 1000;
}

async function read(image: ImageSource, windows: readonly Window[]): Promise<string[]> {
  const hashes: string[] = [];
  for (const [x, y, side, out] of windows) {
    const show = { rgbBands: [1, 2, 3], stretch: null };
    const { rgb } = await image.readRgb({ x, y, width: side, height: side }, out, out, show);
    hashes.push(createHash('sha256').update(rgb).digest('hex'));
  }
  await image.close();
  return hashes;
}

const ADDRESS = `/vsicurl/${server.origin.replace('files.example', '127.0.0.1')}/image.tif`;

async function byGdal(name: string, windows: readonly Window[], settings: object): Promise<Timed> {
  const env = { ...process.env, GDAL_HTTP_UNSAFESSL: 'YES', ...settings };
  const { stdout } = await run(PYTHON, [SCRIPT, name, JSON.stringify(windows)], { env });
  return JSON.parse(stdout) as Timed;
}

/** Recommended for Cloud Optimized GeoTIFFs: no look at the folder, and a cache of what was read. */
const TUNED = { GDAL_DISABLE_READDIR_ON_OPEN: 'EMPTY_DIR', VSI_CACHE: 'TRUE', GDAL_INGESTED_BYTES_AT_OPEN: '32768' };

const random = seededRandom(4);
const windowsOf = (side: number, out: number): Window[] =>
  Array.from({ length: WINDOWS }, () => {
    const [x, y] = [Math.floor(random() * (SIDE - side)), Math.floor(random() * (SIDE - side))];
    return [x, y, side, out];
  });
const CASES = [
  { name: `${WINDOWS} windows of 512 px, every pixel`, windows: windowsOf(512, 512), isExact: true },
  { name: `${WINDOWS} windows of 2,048 px at 512 px`, windows: windowsOf(2048, 512), isExact: false },
  { name: 'the whole image at 512 px', windows: [[0, 0, SIDE, 512]] as Window[], isExact: false },
];

console.log(`A file of ${(bytes.length / 1e6).toFixed(1)} MB.\n`);
console.log(
  '| read | by | requests | MB | share of the file | seconds | seconds from disk |\n|---|---|--:|--:|--:|--:|--:|',
);
for (const { name, windows, isExact } of CASES) {
  const ours = await measured(() => byTerraql(windows));
  const plain = await measured(() => byGdal(ADDRESS, windows, {}));
  const tuned = await measured(() => byGdal(ADDRESS, windows, TUNED));
  const [ourDisk, theirDisk] = [await fromDisk(windows), (await byGdal(file, windows, {})).seconds];
  for (const [by, reading, disk] of [
    ['TerraQL', ours, ourDisk],
    ['GDAL, defaults', plain, theirDisk],
    ['GDAL, tuned', tuned, theirDisk],
  ] as const) {
    const share = `${((100 * reading.bytes) / bytes.length).toFixed(1)} %`;
    console.log(
      `| ${name} | ${by} | ${reading.requests} | ${(reading.bytes / 1e6).toFixed(2)} | ${share} | ${reading.seconds.toFixed(2)} | ${disk.toFixed(2)} |`,
    );
  }
  const isSame = !isExact || ours.hashes.every((hash, index) => hash === plain.hashes[index]);
  if (!isSame) console.log(`The pixels of ${name} differ.`);
  const isMore =
    ours.requests > Math.min(plain.requests, tuned.requests) || ours.bytes > Math.min(plain.bytes, tuned.bytes);
  if (isMore || !isSame) process.exitCode = 1;
}
server.close();
await rm(folder, { recursive: true, force: true });
