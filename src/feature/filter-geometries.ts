import type { Geometry } from 'geojson';
import type { FeatureFilter } from './feature.filter.ts';
import { mapFilters } from './filter-walk.ts';

/** A geometry, or one with a distance to it. */
type Place = Geometry | NonNullable<FeatureFilter['near']>;
/** Conditions with a geometry, by their types. */
type PlaceCondition = {
  [Name in keyof FeatureFilter]-?: NonNullable<FeatureFilter[Name]> extends Place ? Name : never;
}[keyof FeatureFilter];

const PLACES = Object.keys({
  intersects: true,
  within: true,
  contains: true,
  touches: true,
  overlaps: true,
  crosses: true,
  disjoint: true,
  near: true,
} satisfies Record<PlaceCondition, true>) as PlaceCondition[];

/** The geometries of a filter, on all levels. */
export function geometriesOf(filter: FeatureFilter): Geometry[] {
  const found: Geometry[] = [];
  withGeometries(filter, (geometry) => {
    found.push(geometry);
    return geometry;
  });
  return found;
}

/** The filter with each of its geometries, on all levels, replaced. */
export function withGeometries(filter: FeatureFilter, replace: (geometry: Geometry) => Geometry): FeatureFilter {
  return mapFilters(filter, (level) => {
    const replaced = PLACES.flatMap((name) => {
      const place = level[name];
      if (!place) return [];
      return [[name, 'type' in place ? replace(place) : { ...place, geometry: replace(place.geometry) }] as const];
    });
    return { ...level, ...Object.fromEntries(replaced) };
  });
}
