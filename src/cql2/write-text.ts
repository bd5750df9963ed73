import type { Geometry, Position } from 'geojson';
import {
  type Cql2,
  InvalidCql2Error,
  isBbox,
  isDate,
  isGeometry,
  isInterval,
  isList,
  isOperation,
  isProperty,
  isTimestamp,
  type Operation,
} from './expression.ts';
import { predicateNamed } from './operators.ts';
import { KEYWORDS } from './read-text.ts';
import { isIdentifier } from './tokens.ts';

const SIGNS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', 'div', '^']);

/**
 * An expression in the text encoding of CQL2, every operation in parentheses.
 * @throws {InvalidCql2Error} for a text that ends in a backslash, which the encoding cannot express
 */
export function writeCql2Text(value: Cql2): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (isList(value)) return `(${value.map(writeCql2Text).join(', ')})`;
  if (isOperation(value)) return operationText(value);
  if (isProperty(value)) return propertyText(value.property);
  if (isDate(value)) return `DATE(${quoted(value.date)})`;
  if (isTimestamp(value)) return `TIMESTAMP(${quoted(value.timestamp)})`;
  if (isInterval(value)) return `INTERVAL(${value.interval.map(writeCql2Text).join(', ')})`;
  if (isBbox(value)) return `BBOX(${value.bbox.join(', ')})`;
  return isGeometry(value) ? wktOf(value) : '';
}

function propertyText(name: string): string {
  if (isIdentifier(name) && !KEYWORDS.has(name.toUpperCase())) return name;
  if (/["\0]/.test(name)) throw new InvalidCql2Error(`property ${JSON.stringify(name)} has no text form`, 'its name');
  return `"${name}"`;
}

function quoted(text: string): string {
  if (text.endsWith('\\'))
    throw new InvalidCql2Error('a text that ends in a backslash has no text form', JSON.stringify(text));
  // Behind a backslash a doubled quote would end the text.
  return `'${text.replaceAll(/\\?'/g, (found) => (found === "'" ? "''" : String.raw`\\'`))}'`;
}

function operationText({ op, args }: Operation): string {
  const texts = args.map(writeCql2Text);
  const [first = '', second = '', third = ''] = texts;
  if (op === 'and' || op === 'or') return `(${texts.join(` ${op.toUpperCase()} `)})`;
  if (op === 'not') return `(NOT ${first})`;
  if (op === 'like') return `(${first} LIKE ${second})`;
  if (op === 'between') return `(${first} BETWEEN ${second} AND ${third})`;
  if (op === 'in') return `(${first} IN ${second})`;
  if (op === 'isNull') return `(${first} IS NULL)`;
  if (SIGNS.has(op)) return `(${first} ${op} ${second})`;
  const name = predicateNamed(op) === op ? op.toUpperCase() : op;
  return `${name}(${texts.join(', ')})`;
}

function wktOf(geometry: Geometry): string {
  if (geometry.type === 'GeometryCollection') return `GEOMETRYCOLLECTION(${geometry.geometries.map(wktOf).join(', ')})`;
  const { type, coordinates } = geometry;
  const name = type.toUpperCase();
  return type === 'Point' ? `${name}(${positionText(coordinates)})` : `${name}${coordinatesText(coordinates)}`;
}

type Nested = Position | readonly Nested[];
const isPosition = (coordinates: Nested): coordinates is Position => typeof coordinates[0] === 'number';
const positionText = (position: Position): string => position.join(' ');

function coordinatesText(coordinates: readonly Nested[]): string {
  return `(${coordinates.map((one) => (isPosition(one) ? positionText(one) : coordinatesText(one))).join(', ')})`;
}
