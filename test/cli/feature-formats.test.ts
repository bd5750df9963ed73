import { wktToGeoJSON } from 'betterknown';
import { describe, expect, it } from 'vitest';
import { FEATURE_WRITERS, type FeatureFormat } from '../../src/cli/feature-formats.ts';
import type { FeatureRow } from '../../src/cli/feature-rows.ts';

const pond: FeatureRow = {
  id: 'f1',
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [7, 50],
        [7.001, 50],
        [7.001, 50.001],
        [7, 50],
      ],
      [
        [7.0004, 50.0002],
        [7.0006, 50.0004],
        [7.0006, 50.0002],
        [7.0004, 50.0002],
      ],
    ],
  },
  centroid: { type: 'Point', coordinates: [7.00066, 50.00033] },
  bbox: [7, 50, 7.001, 50.001],
  areaM2: 12_345.6,
  perimeterM: 1234.5,
  pixelCount: 494,
  meanProbability: 0.8765,
  compactness: 0.42,
  bearingDeg: 33.3,
  distanceM: null,
  segmentation: { id: 's1', prompt: 'the "old" pond, by the road' },
  scene: { id: 'c1', name: 'Prairie' },
  neighbours: { totalCount: 2 },
};
const island: FeatureRow = {
  ...pond,
  id: 'f2',
  geometry: {
    type: 'MultiPolygon',
    coordinates: [
      [
        [
          [180, 0],
          [180, 1],
          [179, 0],
          [180, 0],
        ],
      ],
      [
        [
          [-180, 0],
          [-179, 0],
          [-180, 1],
          [-180, 0],
        ],
      ],
    ],
  },
  areaM2: null,
  perimeterM: null,
};

async function* rows(): AsyncGenerator<FeatureRow> {
  yield* [pond, island];
}

async function written(format: FeatureFormat): Promise<string> {
  let text = '';
  for await (const piece of FEATURE_WRITERS[format](rows())) text += piece;
  return text;
}

describe('features as text', () => {
  it('is one RFC 7946 feature collection as GEOJSON', async () => {
    const collection = JSON.parse(await written('GEOJSON')) as { type: string; features: Record<string, unknown>[] };
    expect(collection.type).toBe('FeatureCollection');
    expect(collection.features.map(({ type, id, geometry }) => ({ type, id, geometry }))).toEqual([
      { type: 'Feature', id: 'f1', geometry: pond.geometry },
      { type: 'Feature', id: 'f2', geometry: island.geometry },
    ]);
    expect(collection.features[0]!['properties']).toMatchObject({ areaM2: 12_345.6, neighbourCount: 2, sceneId: 'c1' });
  });

  it('is one feature a line as NDJSON', async () => {
    const lines = (await written('NDJSON')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['f1', 'f2']);
  });

  it('is quoted as RFC 4180 wants and keeps the shape as well-known text as CSV', async () => {
    const [heading, first, second, end] = (await written('CSV')).split('\r\n');
    expect(heading).toMatch(/^id,prompt,areaM2,.*,wkt$/);
    expect(first).toMatch(/^f1,"the ""old"" pond, by the road",12345\.6,1234\.5,0\.8765,494,/);
    expect(second).toMatch(/^f2,"the ""old"" pond, by the road",,,0\.8765/);
    expect(end).toBe('');
    for (const [line, row] of [
      [first, pond],
      [second, island],
    ] as const) {
      const wkt = /,"((?:MULTI)?POLYGON.*)"$/.exec(line!)?.[1];
      expect(wktToGeoJSON(wkt!)).toEqual(row.geometry);
    }
  });

  it('ranks as a table, with units for people and a dash where a scene has no metres', async () => {
    const [heading, first, second] = (await written('TABLE')).split('\n');
    expect(heading).toMatch(/^#\s+prompt\s+area\s+perimeter\s+probability\s+centroid\s+neighbours\s+feature$/);
    expect(first).toMatch(
      /^1\s+the "old" pond, by the road\s+1\.23 ha\s+1\.23 km\s+0\.88\s+7\.00066 50\.00033\s+2\s+f1$/,
    );
    expect(second).toMatch(/^2\s+the "old" pond, by the road\s+–\s+–\s+0\.88/);
  });
});
