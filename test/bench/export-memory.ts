/**
 * Peak memory of exports: `DATABASE_URL=postgresql://… npx tsx test/bench/export-memory.ts [features…]`.
 * Stores seeded features in a database of its own, then writes every format once, each in a process of its own, and prints
 * size, seconds, and peak resident memory. What is left of the memory when a file has ten times the features tells whether
 * exports are flat.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Database, openDatabase, Prisma } from '../../src/database/database.ts';
import { EXPORT_FORMATS } from '../../src/export/export-format.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { resultOf, runningSegmentation } from '../database/seeds.ts';
import { exportServiceOn, readRequest } from '../export/stored-exports.ts';

const run = promisify(execFile);
const SELF = fileURLToPath(import.meta.url);
const COUNTS = [20_000, 200_000];

/** Discs of 33 vertices on a grid of 1000 columns, 100 m apart. */
async function store(database: Database, count: number): Promise<string> {
  const { scene, segmentation } = await runningSegmentation(database);
  await new SegmentationRepository(database).storeResult(segmentation, resultOf([]));
  await database.execute(Prisma.sql`
    INSERT INTO feature (id, scene_id, segmentation_id, label, geometry, centroid, area_m2, perimeter_m, compactness,
                         pixel_count, mean_probability)
    SELECT gen_random_uuid(), ${scene.id}::uuid, ${segmentation.id}::uuid, n, ST_Buffer(centre, 0.0004, 8), centre,
           6000 + n % 997, 280, 0.98, 100, (n % 89) / 89.0
    FROM generate_series(1, ${count}::int) AS n,
         LATERAL (SELECT ST_SetSRID(ST_MakePoint(10 + (n % 1000) * 0.001, (n / 1000) * 0.001), 4326) AS centre) AS c`);
  await database.execute(Prisma.sql`ANALYZE feature`);
  return segmentation.id;
}

/** Writes one file to nowhere, in this process. */
async function measure(url: string, segmentationId: string, format: string): Promise<void> {
  const database = await openDatabase({ databaseUrl: url, dataDir: '' });
  const begunAt = performance.now();
  const file = await exportServiceOn(database, 1e6).open(format, readRequest({ filter: { segmentationId } }));
  let bytes = 0;
  for await (const piece of file.pieces()) bytes += piece.length;
  const seconds = (performance.now() - begunAt) / 1000;
  const peakMb = process.resourceUsage().maxRSS / 1024;
  const size = `${(bytes / 1e6).toFixed(1)} MB, ${seconds.toFixed(1)} s`;
  process.stdout.write(`${format.padEnd(8)} ${file.featureCount} features, ${size}, peak ${peakMb.toFixed(0)} MiB\n`);
  await database.close();
}

async function main(server: string, counts: readonly number[]): Promise<void> {
  const name = `terraql_bench_${process.pid}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const own = new URL(server);
  own.pathname = `/${name}`;
  const database = await openDatabase({ databaseUrl: own.href, dataDir: '' });
  try {
    for (const count of counts) {
      const segmentationId = await store(database, count);
      for (const { extension } of EXPORT_FORMATS) {
        const measured = await run(process.execPath, [...process.execArgv, SELF, own.href, segmentationId, extension]);
        process.stdout.write(measured.stdout);
      }
    }
  } finally {
    await database.close();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  }
}

const [first = '', segmentationId, format] = process.argv.slice(2);
if (segmentationId !== undefined && format !== undefined) await measure(first, segmentationId, format);
else {
  const server = process.env['DATABASE_URL'];
  if (server === undefined) throw new Error('set DATABASE_URL to a PostgreSQL server with PostGIS');
  const counts = process.argv.slice(2).map(Number);
  await main(server, counts.length > 0 ? counts : COUNTS);
}
