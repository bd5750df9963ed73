import { describe, expect, it } from 'vitest';
import { adjacency, adjacencyWithin } from '../../src/vector/adjacency.ts';
import type { AdjacentPair } from '../../src/vector/border-collector.ts';
import { labelMask } from '../../src/vector/label-mask.ts';
import { labelRaster } from './label-raster.ts';
import { blobMask, byteMask, drawnMask, maskOf, noiseMask, type ByteMask } from './seeded-masks.ts';
import { slowAdjacency, unitEdge } from './slow-twins.ts';

const labelledOf = (drawn: ByteMask) => labelMask(maskOf(drawn));

const densities = [0.05, 0.3, 0.5, 0.7, 0.95];
const noisePairs = densities.flatMap((densityA, i) =>
  densities.map(
    (densityB, j) => [noiseMask(10 * i + j, 31, 23, densityA), noiseMask(1000 + 10 * i + j, 31, 23, densityB)] as const,
  ),
);
const pairs: (readonly [ByteMask, ByteMask])[] = [
  ...noisePairs,
  [blobMask(1, 64, 48, 9), blobMask(2, 64, 48, 9)],
  [blobMask(3, 64, 48, 9), byteMask('full', 64, 48, () => true)],
  [
    byteMask('checkerboard', 16, 16, (c, r) => (c + r) % 2 === 0),
    byteMask('its inverse', 16, 16, (c, r) => (c + r) % 2 === 1),
  ],
  [
    byteMask('checkerboard', 16, 16, (c, r) => (c + r) % 2 === 0),
    byteMask('itself', 16, 16, (c, r) => (c + r) % 2 === 0),
  ],
  [byteMask('empty', 16, 16, () => false), noiseMask(5, 16, 16, 0.5)],
];

describe.each(pairs.map(([a, b]) => ({ a, b })))('contacts of $a.name with $b.name', ({ a, b }) => {
  const [labelledA, labelledB] = [labelledOf(a), labelledOf(b)];
  const found = adjacency(labelledA, labelledB);

  it('are those found by looking at every pixel edge and lattice point', () => {
    const expected = slowAdjacency(labelRaster(labelledA), labelRaster(labelledB), a.widthPx, a.heightPx);
    expect(found.map(keyOf).toSorted()).toEqual([...expected.keys()].toSorted());
    for (const pair of found) {
      const slow = expected.get(keyOf(pair))!;
      const walked = unitEdgesOf(pair.edges);
      expect(walked).toHaveLength(slow.edges.size);
      expect(new Set(walked)).toEqual(slow.edges);
      expect(pair.corners).toBe(slow.corners);
    }
  });

  it('are merged to segments that nothing of the pair continues', () => {
    for (const { edges } of found) {
      const ends = segmentsOf(edges).map(([c0, , c1, r1]) => `${c0 === c1 ? 'v' : 'h'}${c1},${r1}`);
      const starts = segmentsOf(edges).map(([c0, r0, c1]) => `${c0 === c1 ? 'v' : 'h'}${c0},${r0}`);
      expect(starts.filter((start) => ends.includes(start))).toEqual([]);
    }
  });

  it('are the same the other way around', () => {
    const swapped = adjacency(labelledB, labelledA).map((pair) => ({
      ...pair,
      labelA: pair.labelB,
      labelB: pair.labelA,
    }));
    expect(swapped.toSorted((p, q) => p.labelA - q.labelA || p.labelB - q.labelB).map(measure)).toEqual(
      found.map(measure),
    );
  });
});

describe('two drawn masks', () => {
  it('share the whole straight edge between them as one segment', () => {
    const left = labelledOf(drawnMask('left', ['##..', '##..', '##..']));
    const right = labelledOf(drawnMask('right', ['..#.', '..##', '..#.']));
    expect(adjacency(left, right)).toEqual([{ labelA: 1, labelB: 1, edges: Uint32Array.of(2, 0, 2, 3), corners: 0 }]);
  });

  it('share the outline of a feature that lies on another', () => {
    const pond = labelledOf(drawnMask('pond', ['####', '####', '####']));
    const boat = labelledOf(drawnMask('boat', ['....', '.##.', '....']));
    const [pair] = adjacency(pond, boat);
    expect(segmentsOf(pair!.edges).map(String).toSorted()).toEqual(['1,1,1,2', '1,1,3,1', '1,2,3,2', '3,1,3,2']);
  });

  it('share nothing when they are the same, or lie a pixel apart', () => {
    const same = labelledOf(drawnMask('same', ['.##', '.##']));
    expect(adjacency(same, same)).toEqual([]);
    const apart = [drawnMask('a', ['#..', '#..']), drawnMask('b', ['..#', '..#'])].map(labelledOf);
    expect(adjacency(apart[0]!, apart[1]!)).toEqual([]);
  });

  it('count a corner only where no edge is shared', () => {
    const a = labelledOf(drawnMask('a', ['#....', '.....', '...#.']));
    const b = labelledOf(drawnMask('b', ['.....', '.##..', '.....']));
    expect(adjacency(a, b)).toEqual([
      { labelA: 1, labelB: 1, edges: new Uint32Array(0), corners: 1 },
      { labelA: 2, labelB: 1, edges: new Uint32Array(0), corners: 1 },
    ]);
  });

  it('are refused when they differ in size', () => {
    const [small, large] = [labelledOf(drawnMask('small', ['#'])), labelledOf(drawnMask('large', ['##']))];
    expect(() => adjacency(small, large)).toThrow('Masks of 1 x 1 and 2 x 1 pixels do not belong to one scene.');
  });
});

describe.each([0.2, 0.4, 0.5, 0.6, 0.8])('labels of one mask of density %s', (density) => {
  it('meet at the corners that a look at every lattice point finds', () => {
    const labelled = labelledOf(noiseMask(77, 41, 37, density));
    const raster = labelRaster(labelled);
    const slow = slowAdjacency(raster, raster, 41, 37);
    const expected = [...slow]
      .filter(([, { corners }]) => corners > 0)
      .map(([key, { corners }]) => `${key}: ${corners}`)
      .filter((text) => Number(text.split('-')[0]) < Number.parseInt(text.split('-')[1]!, 10));
    const found = adjacencyWithin(labelled);
    expect(found.map((pair) => `${keyOf(pair)}: ${pair.corners}`).toSorted()).toEqual(expected.toSorted());
    expect(found.every(({ edges }) => edges.length === 0)).toBe(true);
  });
});

const keyOf = ({ labelA, labelB }: AdjacentPair): string => `${labelA}-${labelB}`;

const segmentsOf = (edges: Uint32Array): number[][] =>
  Array.from({ length: edges.length / 4 }, (_, i) => [...edges.subarray(4 * i, 4 * i + 4)]);

const measure = ({ labelA, labelB, edges, corners }: AdjacentPair) => ({
  labelA,
  labelB,
  corners,
  segments: segmentsOf(edges).map(String).toSorted(),
});

function unitEdgesOf(edges: Uint32Array): string[] {
  return segmentsOf(edges).flatMap(([c0, r0, c1, r1]) => {
    const [dc, dr] = [Math.sign(c1! - c0!), Math.sign(r1! - r0!)];
    return Array.from({ length: c1! - c0! + r1! - r0! }, (_, k) =>
      unitEdge(c0! + k * dc, r0! + k * dr, c0! + (k + 1) * dc, r0! + (k + 1) * dr),
    );
  });
}
