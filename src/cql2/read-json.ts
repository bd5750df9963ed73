import type { Geometry } from 'geojson';
import { type Cql2, type Cql2Filter, InvalidCql2Error, MAX_LENGTH, MAX_NESTING } from './expression.ts';
import { checkOperands } from './operators.ts';

/**
 * Reads a filter in the JSON encoding of CQL2.
 * @throws {InvalidCql2Error} with the part and its path
 * @see OGC 21-065r2, annex C
 */
export function readCql2Json(text: string): Cql2Filter {
  if (text.length > MAX_LENGTH) {
    throw new InvalidCql2Error(`the filter has ${text.length} characters; the limit is ${MAX_LENGTH}`, 'its end');
  }
  const places = new WeakMap<object, string>();
  const expression = readPart(parsed(text), '', 0, places);
  const placeOf = (part: Cql2): string | undefined => (typeof part === 'object' ? places.get(part) : undefined);
  const filter = { expression, placeOf };
  checkOperands(filter);
  return filter;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InvalidCql2Error(`not JSON (${error instanceof Error ? error.message : String(error)})`, 'its beginning');
  }
}

type Places = WeakMap<object, string>;

function readPart(value: unknown, path: string, level: number, places: Places): Cql2 {
  const place = path === '' ? 'its beginning' : path;
  if (level > MAX_NESTING) throw new InvalidCql2Error(`nests deeper than ${MAX_NESTING} levels`, place);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object' || value === null) {
    throw new InvalidCql2Error(`${JSON.stringify(value)} is not an expression`, place);
  }
  const below = (part: unknown, step: string): Cql2 =>
    readPart(part, step.startsWith('[') || path === '' ? `${path}${step}` : `${path}.${step}`, level + 1, places);
  const part = Array.isArray(value)
    ? (value as readonly unknown[]).map((member, index) => below(member, `[${index}]`))
    : readObject({ value: value as Readonly<Record<string, unknown>>, place, below });
  places.set(part, place);
  return part;
}

/** An object that is being read. */
interface Members {
  readonly value: Readonly<Record<string, unknown>>;
  readonly place: string;
  readonly below: (part: unknown, step: string) => Cql2;
}

/** How an object is read, by the member that tells what it is. */
const READERS: Readonly<Record<string, (members: Members) => Cql2 & object>> = {
  op: (members) => ({
    op: textOf(members, 'op'),
    args: listOf(members, 'args').map((argument, index) => members.below(argument, `args[${index}]`)),
  }),
  property: (members) => ({ property: textOf(members, 'property') }),
  date: (members) => ({ date: textOf(members, 'date') }),
  timestamp: (members) => ({ timestamp: textOf(members, 'timestamp') }),
  interval(members) {
    const ends = listOf(members, 'interval').map((end, index) => members.below(end, `interval[${index}]`));
    const [from, to] = ends;
    if (from !== undefined && to !== undefined && ends.length === 2) return { interval: [from, to] };
    throw new InvalidCql2Error('interval must have 2 ends', members.place);
  },
  type: ({ value, place }) => readGeometry(value, place),
  bbox: (members) => ({ bbox: numbersOf(listOf(members, 'bbox'), members.place) }),
};
const KINDS = Object.keys(READERS);

function readObject(members: Members): Cql2 & object {
  const kind = KINDS.find((name) => name in members.value);
  if (kind !== undefined) return READERS[kind]!(members);
  const names = JSON.stringify(Object.keys(members.value));
  throw new InvalidCql2Error(
    `an object with ${names} is not an expression; it must have one of ${KINDS.join(', ')}`,
    members.place,
  );
}

function textOf({ value, place }: Members, name: string): string {
  const member = value[name];
  if (typeof member === 'string') return member;
  throw new InvalidCql2Error(`${name} must be a text, not ${JSON.stringify(member)}`, place);
}

function listOf({ value, place }: Members, name: string): readonly unknown[] {
  const member = value[name];
  if (Array.isArray(member)) return member;
  throw new InvalidCql2Error(`${name} must be a list, not ${JSON.stringify(member)}`, place);
}

const GEOMETRY_TYPES = ['Point', 'LineString', 'Polygon', 'MultiPoint', 'MultiLineString', 'MultiPolygon'];

/** Whoever uses the geometry checks its coordinates. */
function readGeometry(value: Readonly<Record<string, unknown>>, place: string): Geometry {
  const { type } = value;
  const known =
    type === 'GeometryCollection' ? Array.isArray(value['geometries']) : GEOMETRY_TYPES.includes(String(type));
  if (known && (type === 'GeometryCollection' || Array.isArray(value['coordinates'])))
    return value as unknown as Geometry;
  throw new InvalidCql2Error(`type ${JSON.stringify(type)} is not a GeoJSON geometry with coordinates`, place);
}

function numbersOf(list: readonly unknown[], place: string): number[] {
  const numbers = list.filter((member): member is number => typeof member === 'number' && Number.isFinite(member));
  if (numbers.length === list.length && (list.length === 4 || list.length === 6)) return numbers;
  throw new InvalidCql2Error('bbox must have 4 or 6 numbers', place);
}
