import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdjacencyEdge, EdgeFilter } from '../../src/analysis/adjacency-graph.ts';
import { AdjacencyGraphRepository } from '../../src/analysis/adjacency-graph.repository.ts';
import { AdjacencyGraphService } from '../../src/analysis/adjacency-graph.service.ts';
import type { Database } from '../../src/database/database.ts';
import { checkFilter, type RequestedFilter } from '../../src/feature/check-filter.ts';
import { checkComparison } from '../../src/feature/filter-cost.ts';
import { FeatureRepository } from '../../src/feature/feature.repository.ts';
import { FeatureService } from '../../src/feature/feature.service.ts';
import { SegmentationRepository } from '../../src/segmentation/segmentation.repository.ts';
import { box, featuresOf, resultOf, runningSegmentation } from '../database/seeds.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { seededRandom } from '../seeded.ts';
import { gapM, randomRectangles, sharedM, type StoredRectangle, storeRectangles, storeScene } from './rectangles.ts';

const SIDE = 120;
const FOOTPRINT = { west: 0, south: 0, east: SIDE, north: SIDE };
const NEAR_M = 25;
const NOTHING = { pairs: 0, vertices: 0 };

let database: Database;
let stored: StoredRectangle[];

beforeAll(async () => {
  database = await openTestDatabase();
  const random = seededRandom(31);
  stored = [];
  for (let scene = 0; scene < 2; scene++) {
    const { id } = await storeScene(database, FOOTPRINT);
    stored.push(
      ...(await storeRectangles(database, id, `scene ${scene}`, randomRectangles(random, 60, SIDE), NEAR_M)).stored,
    );
  }
}, 240_000);
afterAll(() => database.close());

async function graph(filter: RequestedFilter, wanted: Omit<EdgeFilter, 'reachM'> = {}) {
  const features = { checkedFilter: async (requested: RequestedFilter) => checkFilter(requested, 1000) };
  const service = new AdjacencyGraphService(features, new AdjacencyGraphRepository(database), { nearM: NEAR_M });
  const { nodeIds, edges } = await service.graph(filter, wanted);
  return { nodeIds, edges: await edges() };
}

/** The obvious way: every pair of rectangles, and the gap between them. */
function slowTwin(rectangles: readonly StoredRectangle[], withinM: number): string[] {
  return rectangles
    .flatMap((a, i) =>
      rectangles.slice(i + 1).flatMap((b) => {
        const gap = gapM(a, b);
        if (gap > withinM) return [];
        return `${[a.id, b.id].toSorted().join(' ')} ${gap === 0 ? 'TOUCHES' : 'NEAR'} ${gap.toFixed(2)}`;
      }),
    )
    .toSorted();
}

const text = ({ fromId, toId, relation, gapM: gap }: AdjacencyEdge): string =>
  `${fromId} ${toId} ${relation} ${gap!.toFixed(2)}`;

describe('an adjacency graph', () => {
  // No two rectangles are closer than a hundredth of a metre to these limits.
  it.each([0.5, 25.5, 60.5])(
    'of what lies within %d m has every pair once, in one scene or in two',
    async (withinM) => {
      const { nodeIds, edges } = await graph({}, { withinM });
      expect(nodeIds).toEqual(stored.map(({ id }) => id).toSorted());
      expect(edges.map(text)).toEqual(slowTwin(stored, withinM));
      expect(edges.length).toBeGreaterThan(20);
    },
  );

  it('has stored neighbours of one scene, and looks those of other scenes up', async () => {
    const { edges } = await graph({});
    expect(edges.map(text)).toEqual(slowTwin(stored, NEAR_M + 0.001));
  });

  it('has the nodes that match, and the edges between them alone', async () => {
    const some = stored.filter(({ pixelCount }) => pixelCount >= 30);
    const { nodeIds, edges } = await graph({ areaM2: { min: 2999 } }, { withinM: 40.5 });
    expect(nodeIds).toEqual(some.map(({ id }) => id).toSorted());
    expect(edges.map(text)).toEqual(slowTwin(some, 40.5));
  });

  it('has one relation when asked, with the common outline and the bearing', async () => {
    const { edges } = await graph({}, { relation: 'TOUCHES' });
    expect(edges.map(text)).toEqual(slowTwin(stored, 0));
    const byId = new Map(stored.map((one) => [one.id, one]));
    for (const { fromId, toId, sharedBorderM, bearingDeg } of edges) {
      const [a, b] = [byId.get(fromId)!, byId.get(toId)!];
      const [east, north] = [b.west + b.east - a.west - a.east, b.south + b.north - a.south - a.north];
      const expected = ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
      expect(Math.cos(((bearingDeg! - expected) * Math.PI) / 180)).toBeCloseTo(1, 6);
      if (a.sceneId === b.sceneId) expect(sharedBorderM).toBeCloseTo(sharedM(a, b), 3);
    }
    expect((await graph({}, { relation: 'NEAR' })).edges.every(({ relation }) => relation === 'NEAR')).toBe(true);
  });

  it('of nothing is empty', async () => {
    expect(await graph({ or: [] })).toEqual({ nodeIds: [], edges: [] });
  });

  it.each([-1, 10_001, Number.NaN])('within %d m is refused', async (withinM) => {
    await expect(graph({}, { withinM })).rejects.toThrow(`withinM is ${withinM}; it must be 0 to 10000 metres.`);
  });

  it('is refused when it is too large', async () => {
    const many = Array.from({ length: 20_001 }, (_, index) => String(index));
    const service = new AdjacencyGraphService(
      { checkedFilter: async () => ({}) },
      { nodes: async (_filter, most) => many.slice(0, most), comparison: async () => NOTHING, edges: async () => [] },
      { nearM: NEAR_M },
    );
    await expect(service.graph({}, {})).rejects.toThrow('The graph has more than 20000 features; narrow the filter.');
    const edge: AdjacencyEdge = {
      fromId: 'a',
      toId: 'b',
      relation: 'NEAR',
      sharedBorderM: null,
      gapM: 1,
      bearingDeg: 0,
    };
    const dense = new AdjacencyGraphService(
      { checkedFilter: async () => ({}) },
      {
        nodes: async () => ['a'],
        comparison: async () => NOTHING,
        edges: async (_filter, _wanted, most) => Array.from({ length: most }, () => edge),
      },
      { nearM: NEAR_M },
    );
    await expect((await dense.graph({}, {})).edges()).rejects.toMatchObject({
      code: 'GRAPH_TOO_LARGE',
      message: 'The graph has more than 100000 edges; narrow the filter or withinM.',
    });
  });
});

describe('a question that would compare too much', () => {
  const refusal = {
    code: 'COMPARISON_TOO_LARGE',
    message: expect.stringMatching(/^The request would measure more than 200000 pairs of features with \d+ vertices/),
  };

  it('is refused before anything is measured, with what it would compare and the limits', async () => {
    const { segmentation } = await runningSegmentation(database);
    const heap = Array.from({ length: 640 }, () => box(60, 10, 60.001, 10.001));
    const features = featuresOf(...heap).map((feature) => ({ ...feature, meanProbability: 0.5 }));
    await new SegmentationRepository(database).storeResult(segmentation, resultOf(features, { nearM: 0 }));
    const filter = { segmentationId: segmentation.id };
    await expect(graph(filter, { withinM: 1 })).rejects.toMatchObject(refusal);
    expect((await graph(filter)).edges).toEqual([]);
    const service = new FeatureService(new FeatureRepository(database), { maxVertices: 1000, nearM: NEAR_M });
    const { edges } = await service.find(filter, undefined, { first: 500 });
    const ids = edges.map(({ node }) => node.id);
    await expect(service.neighbours(ids, { withinM: 1 }, { first: 1 })).rejects.toMatchObject(refusal);
    await expect(service.neighbourCounts(ids, { withinM: 1 })).rejects.toMatchObject(refusal);
    const few = await service.neighbours(ids.slice(0, 3), { withinM: 1 }, { first: 1 });
    expect([...few.values()].map((page) => page.edges.length)).toEqual([1, 1, 1]);
  });

  it('counts vertices too, for one large outline may be compared with many', () => {
    expect(() => checkComparison({ pairs: 200_000, vertices: 32_000_000 })).not.toThrow();
    expect(() => checkComparison({ pairs: 800, vertices: 33_000_000 })).toThrow(
      'would measure 800 pairs of features with 33000000 vertices; the limits are 200000 pairs and 32000000 vertices.',
    );
  });
});
