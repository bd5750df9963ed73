import type { Geometry, Position } from 'geojson';
import type { BboxLiteral } from './expression.ts';
import type { TokenReader } from './token-reader.ts';

const TYPES = {
  POINT: 'Point',
  LINESTRING: 'LineString',
  POLYGON: 'Polygon',
  MULTIPOINT: 'MultiPoint',
  MULTILINESTRING: 'MultiLineString',
  MULTIPOLYGON: 'MultiPolygon',
  GEOMETRYCOLLECTION: 'GeometryCollection',
} as const;
type WktName = keyof typeof TYPES;

const nameOf = (text: string): WktName | null => {
  const name = text.toUpperCase();
  return name in TYPES ? (name as WktName) : null;
};

/** Whether well-known text comes next. */
export function seesWkt(reader: TokenReader): boolean {
  const token = reader.peek();
  if (token.kind !== 'WORD' || !nameOf(token.text)) return false;
  return reader.sees('(', 1) || (reader.sees('Z', 1) && reader.sees('(', 2));
}

const line = (reader: TokenReader): Position[] => reader.list(() => readPosition(reader));
const lines = (reader: TokenReader): Position[][] => reader.list(() => line(reader));

const READERS: Readonly<Record<WktName, (reader: TokenReader) => Geometry>> = {
  POINT: (reader) => ({ type: TYPES.POINT, coordinates: inParentheses(reader, () => readPosition(reader)) }),
  LINESTRING: (reader) => ({ type: TYPES.LINESTRING, coordinates: line(reader) }),
  POLYGON: (reader) => ({ type: TYPES.POLYGON, coordinates: lines(reader) }),
  MULTIPOINT: (reader) => ({ type: TYPES.MULTIPOINT, coordinates: reader.list(() => readPoint(reader)) }),
  MULTILINESTRING: (reader) => ({ type: TYPES.MULTILINESTRING, coordinates: lines(reader) }),
  MULTIPOLYGON: (reader) => ({ type: TYPES.MULTIPOLYGON, coordinates: reader.list(() => lines(reader)) }),
  GEOMETRYCOLLECTION: (reader) => ({
    type: TYPES.GEOMETRYCOLLECTION,
    geometries: reader.nested(() => reader.list(() => readMember(reader))),
  }),
};

/**
 * A geometry in well-known text, as CQL2 has it.
 * @see OGC 21-065r2, annex B: geometryLiteral
 * @throws {InvalidCql2Error}
 */
export function readWkt(reader: TokenReader): Geometry {
  const name = nameOf(reader.take().text)!;
  reader.accepts('Z');
  return READERS[name](reader);
}

/** A point of several, which may stand in parentheses of its own. */
function readPoint(reader: TokenReader): Position {
  return reader.sees('(') ? inParentheses(reader, () => readPosition(reader)) : readPosition(reader);
}

function readMember(reader: TokenReader): Geometry {
  if (!seesWkt(reader)) throw reader.unexpected('a geometry');
  return readWkt(reader);
}

function inParentheses<Read>(reader: TokenReader, read: () => Read): Read {
  reader.expect('(');
  const value = read();
  reader.expect(')');
  return value;
}

function readPosition(reader: TokenReader): Position {
  const numbers = [readNumber(reader), readNumber(reader)];
  if (!reader.sees(',') && !reader.sees(')')) numbers.push(readNumber(reader));
  return numbers;
}

/** A number with its sign. @throws {InvalidCql2Error} */
export function readNumber(reader: TokenReader): number {
  const negative = reader.accepts('-');
  if (!negative) reader.accepts('+');
  if (reader.peek().kind !== 'NUMBER') throw reader.unexpected('a number');
  const value = Number(reader.peek().text);
  if (!Number.isFinite(value)) throw reader.unexpected('a number of at most 1.8e308');
  reader.take();
  return negative ? -value : value;
}

/** `BBOX(west, south, east, north)`, or with heights. @throws {InvalidCql2Error} */
export function readBbox(reader: TokenReader): BboxLiteral {
  reader.take();
  const numbers = reader.list(() => readNumber(reader));
  if (numbers.length === 4 || numbers.length === 6) return { bbox: numbers };
  throw reader.unexpected(`4 or 6 numbers in BBOX before here, not ${numbers.length}`);
}
