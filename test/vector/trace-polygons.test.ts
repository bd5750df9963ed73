import { describe, expect, it } from 'vitest';
import { labelMask } from '../../src/vector/label-mask.ts';
import { tracePolygons, type PixelRing, type TracedPolygon } from '../../src/vector/trace-polygons.ts';
import { labelRaster } from './label-raster.ts';
import { byteMask, drawnMask, hardMasks, maskOf } from './seeded-masks.ts';
import { outlineEdges, unitEdge } from './slow-twins.ts';

describe.each(hardMasks())('polygons of $name', (drawn) => {
  const labelled = labelMask(maskOf(drawn));
  const polygons = tracePolygons(labelled);

  it('are one a label, in label order', () => {
    expect(polygons.map(({ label }) => label)).toEqual(Array.from({ length: labelled.labelCount }, (_, i) => i + 1));
  });

  it('run along exactly the pixel edges around their label, each once and in its direction', () => {
    const raster = labelRaster(labelled);
    for (const polygon of polygons) {
      const walked = ringsOf(polygon).flatMap(unitEdgesOf);
      const expected = outlineEdges(raster, drawn.widthPx, drawn.heightPx, polygon.label);
      expect(walked).toHaveLength(expected.size);
      expect(new Set(walked)).toEqual(expected);
    }
  });

  it('have exactly the pixel count as area, an anticlockwise exterior and clockwise holes on the screen', () => {
    for (const { label, exterior, holes } of polygons) {
      const areas = [exterior, ...holes].map(screenArea);
      expect(areas.reduce((sum, area) => sum + area, 0)).toBe(labelled.pixelCount(label));
      expect(areas[0]).toBeGreaterThan(0);
      expect(areas.slice(1).every((area) => area < 0)).toBe(true);
    }
  });

  it('have simple rings and holes within the exterior that share at most points', () => {
    for (const polygon of polygons) {
      for (const ring of ringsOf(polygon)) expect(new Set(latticePoints(ring)).size).toBe(latticePoints(ring).length);
      const [exterior, ...holes] = ringsOf(polygon);
      for (const hole of holes) expect(isWithin(pixelBeside(hole), exterior!)).toBe(true);
    }
  });
});

describe('vertices', () => {
  it('are the corners alone where edges are shorter than the anchor distance', () => {
    const [polygon] = tracePolygons(labelMask(maskOf(drawnMask('bar', ['....', '.##.', '.##.', '....']))));
    expect([...polygon!.exterior]).toEqual([1, 3, 3, 3, 3, 1, 1, 1]);
  });

  it('are kept at every multiple of the anchor distance of the scene, so that features side by side share them', () => {
    const bar = byteMask('bar', 12, 12, (c, r) => c >= 1 && c < 11 && r >= 3 && r < 9);
    const [polygon] = tracePolygons(labelMask(maskOf(bar)), 4);
    const vertices = pairsOf(polygon!.exterior);
    const expected = [
      [1, 4],
      [1, 8],
      [1, 9],
      [4, 9],
      [8, 9],
      [11, 9],
      [11, 8],
      [11, 4],
      [11, 3],
      [8, 3],
      [4, 3],
      [1, 3],
    ];
    expect(vertices).toEqual(expected);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses an anchor distance of %s', (anchorPx) => {
    const labelled = labelMask(maskOf(drawnMask('pixel', ['#'])));
    expect(() => tracePolygons(labelled, anchorPx)).toThrow(`The vertex spacing is ${anchorPx} pixels`);
  });
});

const ringsOf = ({ exterior, holes }: TracedPolygon): PixelRing[] => [exterior, ...holes];

function pairsOf(ring: PixelRing): [number, number][] {
  return Array.from({ length: ring.length / 2 }, (_, i) => [ring[2 * i]!, ring[2 * i + 1]!]);
}

/** Every lattice point that a ring passes, in order. */
function latticePoints(ring: PixelRing): string[] {
  const vertices = pairsOf(ring);
  return vertices.flatMap(([c, r], i) => {
    const [nextC, nextR] = vertices[(i + 1) % vertices.length]!;
    const length = Math.abs(nextC - c) + Math.abs(nextR - r);
    const isAxisParallel = nextC === c || nextR === r;
    expect(isAxisParallel && length > 0).toBe(true);
    return Array.from({ length }, (_, k) => `${c + k * Math.sign(nextC - c)},${r + k * Math.sign(nextR - r)}`);
  });
}

function unitEdgesOf(ring: PixelRing): string[] {
  const points = latticePoints(ring).map((point) => point.split(',').map(Number));
  return points.map(([c, r], i) => {
    const [nextC, nextR] = points[(i + 1) % points.length]!;
    return unitEdge(c!, r!, nextC!, nextR!);
  });
}

/** Shoelace area in pixels, positive for a ring that is anticlockwise on the screen. */
function screenArea(ring: PixelRing): number {
  const vertices = pairsOf(ring);
  const twice = vertices.reduce((sum, [c, r], i) => {
    const [nextC, nextR] = vertices[(i + 1) % vertices.length]!;
    return sum + nextC * r - c * nextR;
  }, 0);
  return twice / 2;
}

/** Centre of a pixel of the label beside the first edge of its ring: the label lies on the left. */
function pixelBeside(ring: PixelRing): [number, number] {
  const [[c, r], [nextC, nextR]] = pairsOf(ring).slice(0, 2) as [[number, number], [number, number]];
  const [dc, dr] = [Math.sign(nextC - c), Math.sign(nextR - r)];
  return [c + dc / 2 + dr / 2, r + dr / 2 - dc / 2];
}

function isWithin([x, y]: [number, number], ring: PixelRing): boolean {
  const vertices = pairsOf(ring);
  const crossings = vertices.filter(([c, r], i) => {
    const nextR = vertices[(i + 1) % vertices.length]![1];
    return r > y !== nextR > y && c > x;
  });
  return crossings.length % 2 === 1;
}
