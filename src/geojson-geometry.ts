import type { Geometry, MultiPolygon, Polygon, Position } from 'geojson';
import { z } from 'zod';
import { AppError } from './errors.ts';

/** A value is not a usable geometry; the message names the wrong part. */
export class InvalidGeometryError extends AppError {
  readonly code = 'INVALID_GEOMETRY';
}

/** A geometry has more vertices than a request may carry. */
export class TooManyVerticesError extends AppError {
  readonly code = 'GEOMETRY_TOO_LARGE';
  constructor(
    readonly vertices: number,
    readonly maxVertices: number,
  ) {
    super(`The geometry has ${vertices} vertices; the limit is ${maxVertices}.`, {
      details: { value: vertices, limit: maxVertices },
    });
  }
}

/** Altitudes, which RFC 7946 allows, say nothing about a place on a map and are left out. */
const position = z
  .custom<Position>(isPosition, { error: ({ input }) => describePosition(input) })
  .transform(([east, north]): Position => [east!, north!]);
const line = z.array(position).min(2, 'a line needs at least 2 positions');
const ring = z
  .array(position)
  .min(4, 'a ring needs at least 4 positions, the last equal to the first')
  .refine((positions) => isClosed(positions), 'a ring must end at its first position');
const polygon = z.array(ring).min(1, 'a polygon needs an exterior ring');

const storedCoordinates = z.array(z.array(z.array(z.number())));
/** A polygon that was checked before it was stored. */
export const StoredPolygon: z.ZodType<Polygon | MultiPolygon> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Polygon'), coordinates: storedCoordinates }),
  z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(storedCoordinates) }),
]);

/** Collections within collections, which RFC 7946 advises against; each level costs the parser. */
const MAX_COLLECTION_LEVELS = 4;
const TYPES = 'Point, MultiPoint, LineString, MultiLineString, Polygon, MultiPolygon, GeometryCollection';

const geometry: z.ZodType<Geometry> = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('Point'), coordinates: position }),
    z.object({ type: z.literal('MultiPoint'), coordinates: z.array(position).min(1, 'no points') }),
    z.object({ type: z.literal('LineString'), coordinates: line }),
    z.object({ type: z.literal('MultiLineString'), coordinates: z.array(line).min(1, 'no lines') }),
    z.object({ type: z.literal('Polygon'), coordinates: polygon }),
    z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(polygon).min(1, 'no polygons') }),
    z.object({
      type: z.literal('GeometryCollection'),
      geometries: z
        .array(z.lazy((): z.ZodType<Geometry> => geometry))
        .min(1, 'a GeometryCollection needs at least 1 geometry'),
    }),
  ],
  { error: ({ input }) => `type is ${describeType(input)}; it must be one of ${TYPES}` },
);

/**
 * Checks an RFC 7946 geometry of a request: structure, closed rings, finite numbers, longitude and latitude in range, and
 * that it is not empty. The database checks whether rings cross themselves.
 * @returns the geometry in two dimensions, without foreign members
 * @throws {InvalidGeometryError} {@link TooManyVerticesError}
 * @see https://www.rfc-editor.org/rfc/rfc7946#section-3.1
 */
export function parseGeometry(value: unknown, maxVertices: number): Geometry {
  const vertices = membersOf(value, 0).reduce((count, member) => count + countPositions(member), 0);
  if (vertices > maxVertices) throw new TooManyVerticesError(vertices, maxVertices);
  const parsed = geometry.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('') ?? '';
  throw new InvalidGeometryError(
    `The geometry is invalid at ${place === '' ? 'its top' : place.replace(/^\./, '')}: ${issue?.message ?? ''}`,
  );
}

/** The geometry, or the members of a collection, none of which may name a CRS. */
function membersOf(value: unknown, level: number): object[] {
  if (typeof value !== 'object' || value === null) return [];
  refuseCrs('The geometry', value);
  if (!('geometries' in value) || !Array.isArray(value.geometries)) return [value];
  if (level === MAX_COLLECTION_LEVELS) {
    throw new InvalidGeometryError(`The GeometryCollection nests deeper than ${MAX_COLLECTION_LEVELS} levels.`);
  }
  return value.geometries.flatMap((member) => membersOf(member, level + 1));
}

/** @param what has the member, for the message @throws {InvalidGeometryError} when a GeoJSON object names a CRS */
export function refuseCrs(what: string, value: object): void {
  if (!('crs' in value)) return;
  throw new InvalidGeometryError(
    `${what} has a crs member; RFC 7946 allows only WGS 84 longitude and latitude. Transform the coordinates and omit crs.`,
  );
}

/** Counts before anything is parsed, so that a huge value costs little. */
function countPositions(value: object): number {
  if (!('coordinates' in value)) return 0;
  const pending: unknown[] = [value.coordinates];
  let count = 0;
  while (pending.length > 0) {
    const next = pending.pop();
    if (!Array.isArray(next)) continue;
    if (typeof next[0] === 'number') count++;
    else for (const child of next as unknown[]) pending.push(child);
  }
  return count;
}

function isPosition(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) return false;
  const [east, north] = value as readonly unknown[];
  return value.every(Number.isFinite) && Math.abs(Number(east)) <= 180 && Math.abs(Number(north)) <= 90;
}

function isClosed(positions: readonly Position[]): boolean {
  const first = positions[0];
  const last = positions.at(-1);
  return first !== undefined && last !== undefined && first[0] === last[0] && first[1] === last[1];
}

function describePosition(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return `${shown} is not a position [longitude, latitude] within -180 to 180 and -90 to 90`;
}

function describeType(input: unknown): string {
  const type = typeof input === 'object' && input !== null && 'type' in input ? input.type : undefined;
  return JSON.stringify(type) ?? 'missing';
}
