import type { Geometry } from 'geojson';
import { type FeatureFilter, SPATIAL_PREDICATES } from './feature.filter.ts';

/** The geometries of a filter, on all levels. */
export function geometriesOf(filter: FeatureFilter): Geometry[] {
  const { near, adjacentTo, not, and = [], or = [] } = filter;
  const own = [...SPATIAL_PREDICATES.map((predicate) => filter[predicate]), near?.geometry];
  const nested = [adjacentTo, not, ...and, ...or].flatMap((one) => (one ? geometriesOf(one) : []));
  return [...own.filter((geometry) => geometry !== undefined), ...nested];
}

/** The filter with each of its geometries, on all levels, replaced. */
export function withGeometries(filter: FeatureFilter, replace: (geometry: Geometry) => Geometry): FeatureFilter {
  const { near, adjacentTo, not, and, or } = filter;
  const nested = (one: FeatureFilter): FeatureFilter => withGeometries(one, replace);
  const own = SPATIAL_PREDICATES.flatMap((predicate) => {
    const geometry = filter[predicate];
    return geometry ? [[predicate, replace(geometry)] as const] : [];
  });
  return {
    ...filter,
    ...Object.fromEntries(own),
    ...(near ? { near: { ...near, geometry: replace(near.geometry) } } : {}),
    ...(adjacentTo ? { adjacentTo: nested(adjacentTo) } : {}),
    ...(not ? { not: nested(not) } : {}),
    ...(and ? { and: and.map(nested) } : {}),
    ...(or ? { or: or.map(nested) } : {}),
  };
}
