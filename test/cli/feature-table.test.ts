import { expect, it } from 'vitest';
import { measureValues } from '../feature/measure-values.ts';
import { MEASURES } from '../../src/feature/measures.ts';
import type { FeatureRow } from '../../src/cli/feature-rows.ts';
import { featureTable } from '../../src/cli/feature-table.ts';

const pond: FeatureRow = {
  id: 'f1',
  centroid: { type: 'Point', coordinates: [7.00066, 50.00033] },
  ...measureValues({
    areaM2: 12_345.6,
    perimeterM: 1234.5,
    pixelCount: 321,
    meanProbability: 0.8765,
    bearingDeg: 44.6,
  }),
  segmentation: { prompt: 'the "old" pond, by the road' },
  neighbours: { totalCount: 2 },
};

async function* rows(): AsyncGenerator<FeatureRow> {
  yield* [pond, { ...pond, id: 'f2', areaM2: null, perimeterM: null }];
}

it('ranks features, with units for people and a dash where a scene has no metres', async () => {
  const [heading, first, second] = (await featureTable(rows())).split('\n');
  const headings = MEASURES.map((measure) => measure.heading);
  expect(heading!.split(/ {2,}/)).toEqual(['#', 'prompt', ...headings, 'centroid', 'neighbours', 'feature']);
  const cells = first!.split(/ {2,}/);
  expect(cells.slice(0, 10)).toEqual([
    '1',
    'the "old" pond, by the road',
    '1.23 ha',
    '1.23 km',
    '321',
    '0.88',
    '–',
    '–',
    '45°',
    '–',
  ]);
  expect(cells.slice(-3)).toEqual(['7.00066 50.00033', '2', 'f1']);
  expect(second).toMatch(/^2\s+the "old" pond, by the road\s+–\s+–\s+321\s+0\.88/);
});
