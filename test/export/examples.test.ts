import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp } from '../http/served-app.ts';
import { pythonHas } from './python.ts';

const run = promisify(execFile);
const EXAMPLES = path.resolve(import.meta.dirname, '../../docs/examples');
const PYTHON = process.env['TERRAQL_TEST_PYTHON'] ?? 'python3';
/** Debian's own, for which its `python3-qgis` is made. */
const QGIS_PYTHON = '/usr/bin/python3';
const hasQgis = spawnSync(QGIS_PYTHON, ['-c', 'import qgis.core']).status === 0;

let test: ServedApp;
let folder = '';
/** Number and sum of areas by question. */
let sums: Record<string, { count: number; areaM2: number }> = {};
let largerThanTen = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-examples-'));
  test = await openServedApp();
  await test.segment(['bright', 'dark']);
  const { data } = await test.ask(`{
    featureStatistics(groupBy: [PROMPT]) { key featureCount areaM2 } features(filter: { areaM2: { min: 10 } }) { totalCount } }`);
  const { featureStatistics, features } = data as unknown as {
    featureStatistics: { key: [string]; featureCount: number; areaM2: number }[];
    features: { totalCount: number };
  };
  sums = Object.fromEntries(
    featureStatistics.map(({ key, featureCount: count, areaM2 }) => [key[0], { count, areaM2 }]),
  );
  largerThanTen = features.totalCount;
});
afterAll(async () => {
  await test.close();
  await rm(folder, { recursive: true, force: true });
});

/** What an example prints. */
async function printed(program: string, ...words: string[]): Promise<string[]> {
  const env = { ...process.env, TERRAQL_URL: test.url, TERRAQL_API_KEY: 'none', QT_QPA_PLATFORM: 'offscreen' };
  const { stdout } = await run(program, words, { env });
  return stdout.trim().split('\n');
}
const example = (name: string): string => path.join(EXAMPLES, name);

describe('the examples of the documentation', () => {
  it('are all named on the page', async () => {
    const page = await readFile(path.resolve(EXAMPLES, '../integrations.md'), 'utf8');
    const named = (await readdir(EXAMPLES)).filter((file) => /\.(py|sh|html)$/.test(file));
    expect(named.filter((file) => !page.includes(`examples/${file}`))).toEqual([]);
  });

  it('curl writes files', async () => {
    const lines = await printed('bash', example('files_curl.sh'), folder);
    expect(lines).toEqual(['geojson', 'parquet', 'fgb'].map((format) => `${format} ${largerThanTen}`));
    const { features } = JSON.parse(await readFile(path.join(folder, 'features.geojson'), 'utf8')) as { features: [] };
    expect(features).toHaveLength(largerThanTen);
  });

  it.runIf(pythonHas('gql'))('gql counts and pages through', async () => {
    const lines = await printed(PYTHON, example('statistics_gql.py'));
    for (const [prompt, { count, areaM2 }] of Object.entries(sums)) {
      expect(lines).toContain(`${prompt} ${count} ${Math.round(areaM2)}`);
    }
    expect(lines).toHaveLength(12);
  });

  it.runIf(pythonHas('geopandas'))('GeoPandas reads the same areas', async () => {
    const [line] = await printed(PYTHON, example('features_geopandas.py'));
    const read = JSON.parse(line!) as Record<'areaM2' | 'projectedM2', Record<string, number>>;
    for (const [prompt, { areaM2 }] of Object.entries(sums)) {
      expect(read.areaM2[prompt]).toBeCloseTo(areaM2, -1);
      expect(Math.abs(read.projectedM2[prompt]! / areaM2 - 1)).toBeLessThan(0.001);
    }
  });

  it.runIf(pythonHas('duckdb'))('DuckDB groups by question', async () => {
    const lines = await printed(PYTHON, example('features_duckdb.py'));
    const found = Object.fromEntries(
      lines.map((line) => line.split(' ')).map(([prompt, count]) => [prompt, Number(count)]),
    );
    expect(found).toEqual(Object.fromEntries(Object.entries(sums).map(([prompt, { count }]) => [prompt, count])));
  });

  it.runIf(hasQgis)('QGIS lists the largest', async () => {
    const lines = await printed(QGIS_PYTHON, example('features_qgis.py'));
    expect(lines).toHaveLength(Math.min(10, largerThanTen));
    expect(lines[0]).toMatch(/^(bright|dark) \d+ -?\d+\.\d+,/);
  });
});
