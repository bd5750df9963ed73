import { expect, it } from 'vitest';
import type { FeatureRow } from '../../src/cli/feature-rows.ts';
import { featureTable } from '../../src/cli/feature-table.ts';

const pond: FeatureRow = {
  id: 'f1',
  centroid: { type: 'Point', coordinates: [7.00066, 50.00033] },
  areaM2: 12_345.6,
  perimeterM: 1234.5,
  meanProbability: 0.8765,
  segmentation: { prompt: 'the "old" pond, by the road' },
  neighbours: { totalCount: 2 },
};

async function* rows(): AsyncGenerator<FeatureRow> {
  yield* [pond, { ...pond, id: 'f2', areaM2: null, perimeterM: null }];
}

it('ranks features, with units for people and a dash where a scene has no metres', async () => {
  const [heading, first, second] = (await featureTable(rows())).split('\n');
  expect(heading).toMatch(/^#\s+prompt\s+area\s+perimeter\s+probability\s+centroid\s+neighbours\s+feature$/);
  expect(first).toMatch(
    /^1\s+the "old" pond, by the road\s+1\.23 ha\s+1\.23 km\s+0\.88\s+7\.00066 50\.00033\s+2\s+f1$/,
  );
  expect(second).toMatch(/^2\s+the "old" pond, by the road\s+–\s+–\s+0\.88/);
});
