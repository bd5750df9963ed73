import type { Geometry } from 'geojson';
import type { Cql2 } from '../../src/cql2/expression.ts';

type Random = () => number;

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
const some = <Item>(random: Random, make: () => Item, least: number): Item[] =>
  Array.from({ length: least + Math.floor(random() * 3) }, make);

const NAMES = ['areaM2', 'prompt', 'eo:cloud_cover', 'größe', 'and', 'two words', 'a.b', '1st'];
const TEXTS = ['', "it's", '%\\_x', 'Οδος', '"', ' a (b) ', "\\'", 'NULL', '😀'];

/** A filter of any form. */
export function randomFilter(random: Random, depth = 3): Cql2 {
  const below = (): Cql2 => randomFilter(random, depth - 1);
  const forms: (() => Cql2)[] = [
    () => ({ op: pick(random, ['=', '<>', '<', '<=', '>', '>=']), args: [scalar(random, 2), scalar(random, 2)] }),
    () => ({ op: 'like', args: [{ property: pick(random, NAMES) }, text(random)] }),
    () => ({ op: 'between', args: [number(random, 2), number(random, 1), number(random, 1)] }),
    () => ({ op: 'in', args: [scalar(random, 1), some(random, () => scalar(random, 0), 1)] }),
    () => ({ op: 'isNull', args: [{ property: pick(random, NAMES) }] }),
    () => ({
      op: `s_${pick(random, ['intersects', 'equals', 'within', 'disjoint'])}`,
      args: [{ property: 'geometry' }, geometry(random)],
    }),
    () => ({
      op: `t_${pick(random, ['after', 'during', 'metBy', 'overlappedBy'])}`,
      args: [time(random), time(random)],
    }),
    () => ({ op: 'a_contains', args: [{ property: 'values' }, some(random, () => scalar(random, 0), 1)] }),
    () => pick(random, [true, false]),
  ];
  if (depth > 0) {
    forms.push(
      () => ({ op: pick(random, ['and', 'or']), args: some(random, below, 2) }),
      () => ({ op: 'not', args: [below()] }),
    );
  }
  return pick(random, forms)();
}

function text(random: Random): Cql2 {
  const plain = pick(random, TEXTS);
  return random() < 0.3 ? { op: pick(random, ['casei', 'accenti']), args: [plain] } : plain;
}

function number(random: Random, depth: number): Cql2 {
  if (depth > 0 && random() < 0.5) {
    const op = pick(random, ['+', '-', '*', '/', '%', 'div', '^']);
    return { op, args: [number(random, depth - 1), number(random, depth - 1)] };
  }
  if (random() < 0.3) return { property: pick(random, NAMES) };
  return pick(random, [0, -1, 2.5, 1e-7, -1e21, Math.floor(random() * 1000), random()]);
}

function scalar(random: Random, depth: number): Cql2 {
  return pick(random, [
    () => text(random),
    () => number(random, depth),
    () => pick(random, [true, false]),
    () => ({ date: '2024-02-29' }),
    () => ({ timestamp: '2024-02-29T12:00:00Z' }),
    () => ({ op: 'aFunction', args: some(random, () => number(random, 0), 0) }),
  ])();
}

function time(random: Random): Cql2 {
  return pick<Cql2>(random, [
    { property: 'acquiredAt' },
    { date: '2024-02-29' },
    { interval: ['..', '2024-02-29T12:00:00Z'] },
    { interval: [{ property: 'from' }, { date: '2024-02-29' }] },
  ]);
}

function geometry(random: Random, depth = 1): Cql2 {
  const position = (): number[] => some(random, () => Math.round(random() * 1e6) / 1e4 - 50, 2).slice(0, 3);
  const line = (): number[][] => some(random, position, 2);
  const forms: (() => Geometry | { bbox: number[] })[] = [
    () => ({ type: 'Point', coordinates: position() }),
    () => ({ type: 'MultiPoint', coordinates: line() }),
    () => ({ type: 'LineString', coordinates: line() }),
    () => ({ type: 'MultiLineString', coordinates: some(random, line, 1) }),
    () => ({ type: 'Polygon', coordinates: some(random, line, 1) }),
    () => ({ type: 'MultiPolygon', coordinates: [some(random, line, 1), some(random, line, 1)] }),
    () => ({ bbox: [-1.5, 2, 3, 4] }),
    () => ({ bbox: [-1.5, 2, 0, 3, 4, 100] }),
  ];
  if (depth > 0) {
    const member = (): Geometry => {
      const made = geometry(random, 0);
      return typeof made === 'object' && 'type' in made ? made : { type: 'Point', coordinates: [1, 2] };
    };
    forms.push(() => ({ type: 'GeometryCollection', geometries: some(random, member, 1) }));
  }
  return pick(random, forms)();
}
