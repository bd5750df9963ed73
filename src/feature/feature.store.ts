import type { Geometry } from 'geojson';
import type { CountedPage, Page, PageRequest } from '../page.ts';
import type { Feature, FeatureNeighbour } from './feature.ts';
import type { FeatureFilter, FeatureOrder, NeighbourFilter } from './feature.filter.ts';

/** How outlines are written. */
export interface GeometryFormat {
  /** Decimal places of a coordinate, 0 to 15. */
  readonly precision: number;
  /** Largest shift of an outline by simplification, metres; 0 keeps it. Outlines in pixels are never simplified. */
  readonly simplifyM: number;
}

/** Where features are kept; the port that the database implements. Filters come checked. */
export interface FeatureStore {
  byId(id: string): Promise<Feature | null>;
  /** By identifier, in any order; unknown identifiers are left out. */
  byIds(ids: readonly string[]): Promise<Feature[]>;
  find(filter: FeatureFilter, order: FeatureOrder, page: PageRequest): Promise<Page<Feature>>;
  count(filter: FeatureFilter): Promise<number>;
  /** Outlines as RFC 7946 text by feature identifier; unknown identifiers are left out. */
  geometries(ids: readonly string[], format: GeometryFormat): Promise<Map<string, string>>;
  /** Text of one RFC 7946 FeatureCollection, made by the database. */
  featureCollection(filter: FeatureFilter, order: FeatureOrder, limit: number, format: GeometryFormat): Promise<string>;
  /** Nearest first. */
  neighbours(id: string, filter: NeighbourFilter, page: PageRequest): Promise<CountedPage<FeatureNeighbour>>;
  /** Why the geometry is not valid by OGC Simple Features, with the place; null when it is. */
  invalidReason(geometry: Geometry): Promise<string | null>;
}
