import type { MultiPolygon, Polygon } from 'geojson';
import { parseGeometry } from '../geojson-geometry.ts';
import { BadInputError } from '../errors.ts';

/** What a request may ask for at most. */
export interface RequestLimits {
  /** Nodes of one page. */
  readonly maxPage: number;
  /** Vertices of one geometry. */
  readonly maxVertices: number;
}

/**
 * An area of interest: a checked polygon or several.
 * @throws {BadInputError} for another type of geometry, and what {@link parseGeometry} says of a malformed one
 */
export function areaOfInterest(value: object, { maxVertices }: RequestLimits): Polygon | MultiPolygon {
  const geometry = parseGeometry(value, maxVertices);
  if (geometry.type === 'Polygon' || geometry.type === 'MultiPolygon') return geometry;
  throw new BadInputError(`areaOfInterest is a ${geometry.type}; it must be a Polygon or a MultiPolygon.`);
}
