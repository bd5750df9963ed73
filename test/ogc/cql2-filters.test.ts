import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeForExport, ODD_PROMPT } from '../export/stored-exports.ts';
import { items, serveOgc, type ServedOgc, type TestFeature } from './served-ogc.ts';

let ogc: ServedOgc;
let all: readonly TestFeature[];

beforeAll(async () => {
  // Without a worker, which would count further neighbours meanwhile.
  ogc = await serveOgc(storeForExport, { TERRAQL_WORKER: 'off' });
  all = (await ogc.read(items('features', { limit: 100 }))).features;
});
afterAll(() => ogc.close());

interface Values {
  readonly areaM2: number | null;
  readonly perimeterM: number;
  readonly pixelCount: number;
  readonly meanProbability: number;
  readonly neighbourCount: number;
  readonly prompt: string;
  readonly sceneName: string;
  readonly west: number;
}

/** Filters in text, and what they mean, for an obvious comparison. Null is neither met nor not met. */
const FILTERS: readonly (readonly [string, (values: Values) => boolean])[] = [
  ['areaM2 > 1000000', ({ areaM2 }) => areaM2 !== null && areaM2 > 1e6],
  ['NOT areaM2 > 1000000', ({ areaM2 }) => areaM2 !== null && areaM2 <= 1e6],
  [
    'NOT (areaM2 > 1000000 OR pixelCount = 100)',
    ({ areaM2, pixelCount }) => areaM2 !== null && areaM2 <= 1e6 && pixelCount !== 100,
  ],
  ['areaM2 IS NULL', ({ areaM2 }) => areaM2 === null],
  ['areaM2 IS NOT NULL', ({ areaM2 }) => areaM2 !== null],
  ['1000000 >= areaM2', ({ areaM2 }) => areaM2 !== null && areaM2 <= 1e6],
  ['meanProbability < 0.9', ({ meanProbability }) => meanProbability < 0.9],
  ['meanProbability <= 0.9', ({ meanProbability }) => meanProbability <= 0.9],
  ['meanProbability = 0.89', ({ meanProbability }) => meanProbability === 0.89],
  ['meanProbability <> 0.89', ({ meanProbability }) => meanProbability !== 0.89],
  ['meanProbability BETWEEN 0.88 AND 0.89', ({ meanProbability: p }) => p >= 0.88 && p <= 0.89],
  ['meanProbability NOT BETWEEN 0.885 AND 0.895', ({ meanProbability: p }) => p < 0.885 || p > 0.895],
  ['pixelCount IN (100, 102)', ({ pixelCount }) => [100, 102].includes(pixelCount)],
  ['pixelCount NOT IN (100, 102)', ({ pixelCount }) => ![100, 102].includes(pixelCount)],
  ['pixelCount % 2 = 1 AND pixelCount div 2 = 50', ({ pixelCount }) => pixelCount === 101],
  ['(pixelCount - 100) * 2 + 1 > 3 ^ 1', ({ pixelCount }) => (pixelCount - 100) * 2 + 1 > 3],
  ['pixelCount / 0 = 1', () => false],
  ['NOT pixelCount / 0 = 1', () => false],
  ['areaM2 / perimeterM > 100', ({ areaM2, perimeterM }) => areaM2 !== null && areaM2 / perimeterM > 100],
  ["prompt = 'Where is water?'", ({ prompt }) => prompt === 'Where is water?'],
  ["prompt <> 'Where is water?'", ({ prompt }) => prompt !== 'Where is water?'],
  ["prompt LIKE '%water_'", ({ prompt }) => /water.$/.test(prompt)],
  ["prompt LIKE '%WATER%'", () => false],
  ["prompt NOT LIKE '%water%'", ({ prompt }) => !prompt.includes('water')],
  [String.raw`prompt LIKE '%\%%'`, ({ prompt }) => prompt.includes('%')],
  ["CASEI(prompt) LIKE CASEI('%WATER%')", ({ prompt }) => prompt.includes('water')],
  ["CASEI(prompt) = CASEI('WHERE IS WATER?')", ({ prompt }) => prompt === 'Where is water?'],
  ["ACCENTI(prompt) LIKE ACCENTI('%Wáter%')", () => false],
  ["CASEI(ACCENTI(prompt)) LIKE CASEI(ACCENTI('%WÁTER%'))", ({ prompt }) => prompt.includes('water')],
  ["prompt IN ('Where is water?', 'x')", ({ prompt }) => prompt === 'Where is water?'],
  [`prompt = '${ODD_PROMPT.replaceAll("'", "''")}'`, ({ prompt }) => prompt === ODD_PROMPT],
  ["model = 'tiny/1' AND sceneName = '+Fields'", ({ sceneName }) => sceneName === '+Fields'],
  [
    "sceneName <> '+Fields' OR pixelCount = 101",
    ({ sceneName, pixelCount }) => sceneName !== '+Fields' || pixelCount === 101,
  ],
  ["id = 'nothing'", () => false],
  ['neighbourCount = 0', ({ neighbourCount }) => neighbourCount === 0],
  ["acquiredAt > DATE('2024-05-31')", () => true],
  ["acquiredAt = DATE('2024-06-01')", () => true],
  ["acquiredAt <> TIMESTAMP('2024-06-01T10:00:00Z')", () => false],
  ["T_DURING(acquiredAt, INTERVAL('2024-06-01T09:00:00Z', '2024-06-01T11:00:00Z'))", () => true],
  ["T_AFTER(acquiredAt, TIMESTAMP('2024-06-01T10:00:00Z'))", () => false],
  ["NOT T_AFTER(acquiredAt, TIMESTAMP('2024-06-01T10:00:00Z'))", () => true],
  ["T_INTERSECTS(acquiredAt, INTERVAL('..', '2024-06-01'))", () => true],
  ["T_DISJOINT(acquiredAt, INTERVAL('2024-06-01T10:00:00Z', '..'))", () => false],
  ["T_EQUALS(acquiredAt, DATE('2024-06-01'))", () => true],
  ['T_BEFORE(acquiredAt, createdAt) AND T_STARTS(acquiredAt, INTERVAL(acquiredAt, createdAt))', () => true],
  ['updatedAt = createdAt AND updatedAt >= createdAt', () => true],
  ["updatedAt <= TIMESTAMP('2024-06-01T10:00:00Z')", () => false],
  ['TRUE', () => true],
  ['FALSE OR pixelCount = 100', ({ pixelCount }) => pixelCount === 100],
  ['geometry IS NULL', ({ areaM2 }) => areaM2 === null],
  ['NOT geometry IS NULL', ({ areaM2 }) => areaM2 !== null],
  ['S_INTERSECTS(geometry, BBOX(10, 50, 10.0005, 50.1))', ({ west }) => west === 10],
  ['S_WITHIN(geometry, BBOX(9.9, 49.9, 10.25, 50.25))', ({ areaM2, west }) => areaM2 !== null && west < 10.3],
  ['S_CONTAINS(BBOX(9.9, 49.9, 10.25, 50.25), geometry)', ({ areaM2, west }) => areaM2 !== null && west < 10.3],
  ['S_CONTAINS(geometry, POINT(10.5 50.5))', ({ west }) => west > 10.3 && west < 11],
  ['S_DISJOINT(geometry, BBOX(10, 50, 10.0005, 50.1))', ({ areaM2, west }) => areaM2 !== null && west !== 10],
  ['NOT S_INTERSECTS(geometry, BBOX(10, 50, 10.0005, 50.1))', ({ areaM2, west }) => areaM2 !== null && west !== 10],
  ['S_EQUALS(geometry, POLYGON((10 50, 10.001 50, 10.001 50.002, 10 50.002, 10 50)))', ({ west }) => west === 10],
  ['S_TOUCHES(geometry, BBOX(10.001, 50, 10.002, 50.002))', ({ west }) => west === 10],
  ['S_CROSSES(geometry, LINESTRING(9 50.001, 10.0005 50.001))', ({ west }) => west === 10],
  ['S_OVERLAPS(geometry, BBOX(10.0005, 49, 10.0006, 51))', ({ west }) => west === 10],
];

const expected = (meets: (values: Values) => boolean): string[] =>
  all
    .filter(({ properties, ...feature }) => meets({ ...properties, west: feature.bbox[0] } as unknown as Values))
    .map(({ id }) => id);

describe('CQL2', () => {
  it.each(FILTERS)('%s finds what it means', async (filter, meets) => {
    const page = await ogc.read(items('features', { filter, limit: 100 }));
    expect(page.error).toBeUndefined();
    expect(page.features.map(({ id }) => id)).toEqual(expected(meets));
  });

  it('finds the same in JSON', async () => {
    const filter = JSON.stringify({
      op: 'and',
      args: [
        { op: '>', args: [{ property: 'areaM2' }, 1e6] },
        { op: 'like', args: [{ property: 'prompt' }, '%water%'] },
      ],
    });
    const page = await ogc.read(items('features', { filter, 'filter-lang': 'cql2-json' }));
    expect(page.features.map(({ id }) => id)).toEqual(
      expected(({ areaM2, prompt }) => areaM2 !== null && areaM2 > 1e6 && prompt.includes('water')),
    );
  });

  it('has its geometries in the system of filter-crs', async () => {
    const filter = 'S_INTERSECTS(geometry, POINT(50.001 10.0005))';
    const page = await ogc.read(
      items('features', { filter, 'filter-crs': 'http://www.opengis.net/def/crs/EPSG/0/4326' }),
    );
    expect(page.features.map(({ id }) => id)).toEqual(expected(({ west }) => west === 10));
  });

  it('stands beside the other parameters, all of which must hold', async () => {
    const page = await ogc.read(items('features', { filter: 'areaM2 > 0', bbox: '9,49,10.05,51', pixelCount: 100 }));
    expect(page.features.map(({ id }) => id)).toEqual(
      expected(({ west, pixelCount }) => west === 10 && pixelCount === 100),
    );
  });

  it.each([
    ["name LIKE '+%'", 1],
    ["NOT name LIKE '+%'", 1],
    ['gsdM IS NULL', 1],
    ['gsdM > 100 OR bands = 3', 2],
    ['S_INTERSECTS(geometry, POINT(10.5 50.5))', 1],
    ['S_DISJOINT(geometry, POINT(0 0)) AND widthPx * heightPx = 10000', 1],
    ["acquiredAt < DATE('2024-06-02') AND nativeCrs = 'EPSG:4326'", 1],
    ['geometry IS NULL', 1],
  ])('on scenes: %s', async (filter, count) => {
    const page = await ogc.read(items('scenes', { filter }));
    expect(page.error).toBeUndefined();
    expect(page.numberMatched).toBe(count);
  });
});
