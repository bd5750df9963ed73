import type { MultiPolygon, Polygon } from 'geojson';
import { AppError } from '../errors.ts';
import { repairable } from '../geojson-crossings.ts';
import { parseGeometry, refuseCrs } from '../geojson-geometry.ts';
import type { Zones } from './zones.ts';

/** Zones as a client sends them; exactly one kind. */
export interface RequestedZones {
  /** RFC 7946 feature collection of polygons. */
  readonly collection?: object;
  readonly featureIds?: readonly string[];
  readonly sceneIds?: readonly string[];
}

/** Zones that nothing can be measured in; the message names the zone and what is allowed. */
export class InvalidZonesError extends AppError {
  readonly code = 'INVALID_ZONES';
}

/** Most zones of one request. */
const MAX_ZONES = 1000;

/** Zones that are well formed, with the identifiers that a collection gives its members. */
export interface CheckedZones {
  readonly zones: Zones;
  /** In order; null for a member without one. */
  readonly ids: readonly (string | null)[];
}

/**
 * Checks zones as far as that can be done without the database.
 * @param maxVertices of all outlines of a collection together
 * @throws {InvalidZonesError} {@link InvalidGeometryError} {@link TooManyVerticesError}
 */
export function checkZones(requested: RequestedZones, maxVertices: number): CheckedZones {
  const { collection, featureIds, sceneIds } = requested;
  const given = [collection, featureIds, sceneIds].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new InvalidZonesError(`zones has ${given.length} of collection, featureIds and sceneIds; give exactly one.`);
  }
  if (collection) return checkCollection(collection, maxVertices);
  const kind = featureIds ? 'FEATURES' : 'SCENES';
  const ids = featureIds ?? sceneIds ?? [];
  checkCount(ids.length);
  return { zones: { kind, ids }, ids };
}

function checkCollection(collection: object, maxVertices: number): CheckedZones {
  const type = 'type' in collection ? collection.type : undefined;
  const members: unknown = 'features' in collection ? collection.features : undefined;
  if (type !== 'FeatureCollection' || !Array.isArray(members)) {
    throw new InvalidZonesError(
      `zones.collection has the type ${JSON.stringify(type) ?? 'undefined'}; it must be a FeatureCollection with a list of features.`,
    );
  }
  refuseCrs('zones.collection', collection);
  checkCount(members.length);
  let left = maxVertices;
  const outlines = members.map((member: unknown, index) => {
    const outline = outlineOf(member, index, left);
    left -= outline.coordinates.flat(outline.type === 'Polygon' ? 1 : 2).length;
    return outline;
  });
  return { zones: { kind: 'OUTLINES', outlines }, ids: members.map(idOf) };
}

function checkCount(count: number): void {
  if (count >= 1 && count <= MAX_ZONES) return;
  throw new InvalidZonesError(`The request has ${count} zones; give 1 to ${MAX_ZONES}.`);
}

/** @param left vertices that the zones before have left over */
function outlineOf(member: unknown, index: number, left: number): Polygon | MultiPolygon {
  if (typeof member === 'object' && member !== null) refuseCrs(`Zone ${index}`, member);
  const value = typeof member === 'object' && member !== null && 'geometry' in member ? member.geometry : undefined;
  if (typeof value !== 'object' || value === null) throw new InvalidZonesError(`Zone ${index} has no geometry.`);
  const geometry = parseGeometry(value, left);
  if (geometry.type === 'Polygon' || geometry.type === 'MultiPolygon') return repairable(geometry);
  throw new InvalidZonesError(`Zone ${index} is a ${geometry.type}; a zone must be a Polygon or a MultiPolygon.`);
}

/** RFC 7946 allows texts and numbers. */
function idOf(member: unknown): string | null {
  const id = typeof member === 'object' && member !== null && 'id' in member ? member.id : null;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null;
}
