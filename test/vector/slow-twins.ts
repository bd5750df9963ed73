import type { ByteMask } from './seeded-masks.ts';

/** A label raster by flood fill from each pixel in scan order: 0 outside, labels from 1, 4-connected. */
export function floodLabels({ widthPx, heightPx, bytes }: ByteMask): Uint32Array {
  const labels = new Uint32Array(bytes.length);
  let count = 0;
  for (let first = 0; first < bytes.length; first++) {
    if (bytes[first] === 0 || labels[first] !== 0) continue;
    count++;
    const stack = [first];
    while (stack.length > 0) {
      const pixel = stack.pop()!;
      const [c, r] = [pixel % widthPx, Math.floor(pixel / widthPx)];
      if (labels[pixel] !== 0 || bytes[pixel] === 0) continue;
      labels[pixel] = count;
      if (c > 0) stack.push(pixel - 1);
      if (c < widthPx - 1) stack.push(pixel + 1);
      if (r > 0) stack.push(pixel - widthPx);
      if (r < heightPx - 1) stack.push(pixel + widthPx);
    }
  }
  return labels;
}

/** A unit edge of the pixel lattice, walked from one point to the next, as text. */
type UnitEdge = string;
export const unitEdge = (c0: number, r0: number, c1: number, r1: number): UnitEdge => `${c0},${r0}>${c1},${r1}`;

/** Every unit edge around the pixels of a label, walked with the pixel on the left as one sees it on the screen. */
export function outlineEdges(labels: Uint32Array, widthPx: number, heightPx: number, label: number): Set<UnitEdge> {
  const isLabel = (c: number, r: number): boolean =>
    c >= 0 && r >= 0 && c < widthPx && r < heightPx && labels[r * widthPx + c] === label;
  const edges = new Set<UnitEdge>();
  for (let r = 0; r < heightPx; r++) {
    for (let c = 0; c < widthPx; c++) {
      if (!isLabel(c, r)) continue;
      if (!isLabel(c - 1, r)) edges.add(unitEdge(c, r, c, r + 1));
      if (!isLabel(c, r + 1)) edges.add(unitEdge(c, r + 1, c + 1, r + 1));
      if (!isLabel(c + 1, r)) edges.add(unitEdge(c + 1, r + 1, c + 1, r));
      if (!isLabel(c, r - 1)) edges.add(unitEdge(c + 1, r, c, r));
    }
  }
  return edges;
}

export interface SlowPair {
  readonly edges: Set<UnitEdge>;
  corners: number;
}

/**
 * Contacts of two label rasters by looking at every pixel edge and every lattice point, keyed `labelA-labelB`. Unit edges
 * go right or down.
 */
export function slowAdjacency(
  a: Uint32Array,
  b: Uint32Array,
  widthPx: number,
  heightPx: number,
): Map<string, SlowPair> {
  const pairs = new Map<string, SlowPair>();
  const pairOf = (labelA: number, labelB: number): SlowPair => {
    const key = `${labelA}-${labelB}`;
    if (!pairs.has(key)) pairs.set(key, { edges: new Set(), corners: 0 });
    return pairs.get(key)!;
  };
  const at = (labels: Uint32Array, c: number, r: number): number =>
    c >= 0 && r >= 0 && c < widthPx && r < heightPx ? labels[r * widthPx + c]! : 0;
  const visitEdge = (p: [number, number], q: [number, number], edge: UnitEdge): void => {
    const inBoth = [a, b].every((labels) => at(labels, ...p) > 0 && at(labels, ...q) > 0);
    if (inBoth) return;
    for (const [s, t] of [
      [p, q],
      [q, p],
    ] as const) {
      if (at(a, ...s) > 0 && at(b, ...t) > 0) pairOf(at(a, ...s), at(b, ...t)).edges.add(edge);
    }
  };
  for (let r = 0; r <= heightPx; r++) {
    for (let c = 0; c <= widthPx; c++) {
      visitEdge([c - 1, r], [c, r], unitEdge(c, r, c, r + 1));
      visitEdge([c, r - 1], [c, r], unitEdge(c, r, c + 1, r));
      for (const [labelA, labelB] of cornerContacts(a, b, c, r, at)) pairOf(labelA, labelB).corners++;
    }
  }
  return pairs;
}

/** Pairs of which exactly one pixel each, diagonally opposite and not shared, lies at a lattice point. */
function cornerContacts(
  a: Uint32Array,
  b: Uint32Array,
  c: number,
  r: number,
  at: (labels: Uint32Array, c: number, r: number) => number,
): [number, number][] {
  const around: [number, number][] = [
    [c - 1, r - 1],
    [c, r - 1],
    [c, r],
    [c - 1, r],
  ];
  const [aAround, bAround] = [around.map((p) => at(a, ...p)), around.map((p) => at(b, ...p))];
  const contacts: [number, number][] = [];
  for (const labelA of new Set(aAround.filter((label) => label > 0))) {
    for (const labelB of new Set(bAround.filter((label) => label > 0))) {
      const placesA = [0, 1, 2, 3].filter((place) => aAround[place] === labelA);
      const placesB = [0, 1, 2, 3].filter((place) => bAround[place] === labelB);
      const meet = placesA.length === 1 && placesB.length === 1 && Math.abs(placesA[0]! - placesB[0]!) === 2;
      if (meet) contacts.push([labelA, labelB]);
    }
  }
  return contacts;
}
