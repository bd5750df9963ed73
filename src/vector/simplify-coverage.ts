import KDBush from 'kdbush';
import TinyQueue from 'tinyqueue';

export type Position = readonly [x: number, y: number];
/** Closed rings of a polygon: the exterior first. */
export type Rings = readonly (readonly Position[])[];

export interface CoverageOptions {
  /** Largest distance of a vertex that is left out from the new outline, in units of the coordinates after scaling. */
  readonly tolerance: number;
  /** As near as a vertex lies to an edge of another outline that runs through it, in the same units. */
  readonly snap: number;
  /** Size of a unit of x and of y. */
  readonly scale: Position;
  /** Whether a vertex must stay. */
  readonly isFixed: (position: Position) => boolean;
}

/** Vertices between rests. */
const STEP = 2000;

/**
 * Outlines with vertices left out, so that those which meet still do: a border that two of them share is simplified once, and
 * vertices at which more than two edges meet stay. A vertex goes when none that went between its neighbours is then farther
 * than the tolerance from the edge, and no vertex lies in the triangle that it spans with them or on the new edge; so edges that
 * did not cross do not come to cross, and holes stay inside (Visvalingam and Whyatt 1993, with the check of GEOS's coverage simplifier).
 * Positions of the result are positions of the input. Rests between steps, so that a caller may do something else.
 * @param outlines the polygons of each
 */
export function* simplifyCoverage(
  outlines: readonly (readonly Rings[])[],
  options: CoverageOptions,
): Generator<void, Rings[][]> {
  const coverage = new Coverage(options);
  const drawn: number[][][][] = [];
  for (const polygons of outlines) {
    drawn.push(polygons.map((rings) => rings.map((ring) => coverage.add(ring))));
    yield;
  }
  const noded: number[][][][] = [];
  for (const polygons of drawn) {
    noded.push(polygons.map((rings) => rings.map((ring) => coverage.noded(ring))));
    for (const ring of noded.at(-1)!.flat()) coverage.link(ring);
    yield;
  }
  yield* coverage.simplify();
  return noded.map((polygons) => polygons.map((rings) => rings.map((ring) => coverage.ring(ring))));
}

/** Vertices by index, and the edges between them. */
class Coverage {
  private readonly positions: Position[] = [];
  private readonly x: number[] = [];
  private readonly y: number[] = [];
  private readonly indexes = new Map<string, number>();
  /** Distinct neighbours of each vertex along all rings. */
  private readonly neighbours: Set<number>[] = [];
  /** Vertices that were left out between two neighbours, by the edge that replaces them. */
  private readonly replaced = new Map<string, readonly number[]>();
  /** Those that were left out included. */
  private index: KDBush | null = null;

  constructor(private readonly options: CoverageOptions) {}

  /** @returns the vertices of a ring, without the repeated last */
  add(ring: readonly Position[]): number[] {
    return ring.slice(0, -1).map((position) => {
      const key = `${position[0]},${position[1]}`;
      const known = this.indexes.get(key);
      if (known !== undefined) return known;
      const { scale } = this.options;
      const index = this.positions.push(position) - 1;
      this.x.push(position[0] * scale[0]);
      this.y.push(position[1] * scale[1]);
      this.neighbours.push(new Set());
      this.indexes.set(key, index);
      return index;
    });
  }

  /** A ring with the vertices of others that lie on its edges. */
  noded(ring: readonly number[]): number[] {
    const { snap } = this.options;
    const own = new Set(ring);
    return ring.flatMap((from, at) => {
      const to = ring[(at + 1) % ring.length]!;
      const [dx, dy] = [this.x[to]! - this.x[from]!, this.y[to]! - this.y[from]!];
      const along = (vertex: number): number =>
        ((this.x[vertex]! - this.x[from]!) * dx + (this.y[vertex]! - this.y[from]!) * dy) / (dx * dx + dy * dy);
      const on = this.within([from, to], snap).filter(
        (vertex) =>
          !own.has(vertex) && along(vertex) > 0 && along(vertex) < 1 && this.distance(vertex, from, to) <= snap,
      );
      return [from, ...on.toSorted((a, b) => along(a) - along(b))];
    });
  }

  link(ring: readonly number[]): void {
    ring.forEach((vertex, at) => {
      const next = ring[(at + 1) % ring.length]!;
      this.neighbours[vertex]!.add(next);
      this.neighbours[next]!.add(vertex);
    });
  }

  *simplify(): Generator<void> {
    const waiting = new TinyQueue<readonly [vertex: number, area: number]>([], ([, a], [, b]) => a - b);
    const wait = (vertex: number): void => {
      if (this.isRemovable(vertex)) waiting.push([vertex, this.spanned(vertex)]);
    };
    for (let vertex = 0; vertex < this.positions.length; vertex++) {
      if (vertex % STEP === 0) yield;
      wait(vertex);
    }
    for (let done = 1; ; done++) {
      if (done % STEP === 0) yield;
      const next = waiting.pop();
      if (!next) return;
      const [vertex, area] = next;
      // Its neighbours have changed since, and it waits with what it spans now.
      if (!this.isRemovable(vertex) || this.spanned(vertex) !== area || !this.canGo(vertex)) continue;
      for (const neighbour of this.remove(vertex)) wait(neighbour);
    }
  }

  /** What is left of a ring, closed. */
  ring(ring: readonly number[]): Position[] {
    const left = ring.filter((vertex) => this.neighbours[vertex]!.size > 0);
    return [...left, left[0]!].map((vertex) => this.positions[vertex]!);
  }

  private isRemovable(vertex: number): boolean {
    return this.neighbours[vertex]!.size === 2 && !this.options.isFixed(this.positions[vertex]!);
  }

  private endsOf(vertex: number): [number, number] {
    const [a, b] = this.neighbours[vertex]!;
    return [a!, b!];
  }

  /** Twice the area of the triangle with its neighbours. */
  private spanned(vertex: number): number {
    const [a, b] = this.endsOf(vertex);
    return Math.abs(this.turn(a, vertex, b));
  }

  private canGo(vertex: number): boolean {
    const [a, b] = this.endsOf(vertex);
    // A ring of three stays one.
    if (this.neighbours[a]!.has(b)) return false;
    const { tolerance, snap } = this.options;
    if (!this.between(a, vertex, b).every((removed) => this.distance(removed, a, b) <= tolerance)) return false;
    return this.within([a, vertex, b], snap).every(
      (other) =>
        other === a ||
        other === b ||
        other === vertex ||
        this.neighbours[other]!.size === 0 ||
        // One on the new edge lies on either side of it by rounding alone.
        !(this.isInTriangle(other, a, vertex, b) || this.distance(other, a, b) <= snap),
    );
  }

  private remove(vertex: number): [number, number] {
    const [a, b] = this.endsOf(vertex);
    const between = this.between(a, vertex, b);
    for (const end of [a, b]) {
      this.replaced.delete(edgeKey(vertex, end));
      this.neighbours[end]!.delete(vertex);
    }
    this.neighbours[vertex]!.clear();
    this.neighbours[a]!.add(b);
    this.neighbours[b]!.add(a);
    this.replaced.set(edgeKey(a, b), between);
    return [a, b];
  }

  private between(a: number, vertex: number, b: number): number[] {
    return [...(this.replaced.get(edgeKey(a, vertex)) ?? []), vertex, ...(this.replaced.get(edgeKey(vertex, b)) ?? [])];
  }

  /** Vertices in the box around others. */
  private within(vertices: readonly number[], margin: number): number[] {
    const index = (this.index ??= this.indexed());
    const [xs, ys] = [vertices.map((vertex) => this.x[vertex]!), vertices.map((vertex) => this.y[vertex]!)];
    return index.range(
      Math.min(...xs) - margin,
      Math.min(...ys) - margin,
      Math.max(...xs) + margin,
      Math.max(...ys) + margin,
    );
  }

  private indexed(): KDBush {
    const index = new KDBush(this.positions.length);
    this.x.forEach((x, vertex) => index.add(x, this.y[vertex]!));
    return index.finish();
  }

  /** Positive where the way from a over b to c turns left. */
  private turn(a: number, b: number, c: number): number {
    const { x, y } = this;
    return (x[b]! - x[a]!) * (y[c]! - y[a]!) - (y[b]! - y[a]!) * (x[c]! - x[a]!);
  }

  /** Its sides included. */
  private isInTriangle(vertex: number, a: number, b: number, c: number): boolean {
    const turns = [this.turn(a, b, vertex), this.turn(b, c, vertex), this.turn(c, a, vertex)];
    return turns.every((turn) => turn >= 0) || turns.every((turn) => turn <= 0);
  }

  private distance(vertex: number, a: number, b: number): number {
    const { x, y } = this;
    const [dx, dy] = [x[b]! - x[a]!, y[b]! - y[a]!];
    const squared = dx * dx + dy * dy;
    const along = squared === 0 ? 0 : ((x[vertex]! - x[a]!) * dx + (y[vertex]! - y[a]!) * dy) / squared;
    const at = Math.min(1, Math.max(0, along));
    return Math.hypot(x[vertex]! - x[a]! - at * dx, y[vertex]! - y[a]! - at * dy);
  }
}

const edgeKey = (a: number, b: number): string => (a < b ? `${a},${b}` : `${b},${a}`);
