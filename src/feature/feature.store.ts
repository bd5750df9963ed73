import type { Geometry } from 'geojson';
import type { Page, PageRequest } from '../page.ts';
import type { Feature, FeatureNeighbour } from './feature.ts';
import type { FeatureFilter, FeatureOrder, NeighbourFilter } from './feature.filter.ts';

/** How outlines are written. */
export interface GeometryFormat {
  /** Decimal places of a coordinate, 0 to 15. */
  readonly precision: number;
  /** Largest shift of an outline by simplification, metres; 0 keeps it. Outlines in pixels are never simplified. */
  readonly simplifyM: number;
}

/** What became of a geometry that is not valid by OGC Simple Features. */
export interface RepairedGeometry {
  readonly given: Geometry;
  readonly repaired: Geometry;
  /** What is wrong, with the place: `Self-intersection[1 1]`. */
  readonly reason: string;
}

/** Where features are kept; the port that the database implements. Filters come checked. */
export interface FeatureStore {
  byId(id: string): Promise<Feature | null>;
  /** By identifier, in any order; unknown identifiers are left out. */
  byIds(ids: readonly string[]): Promise<Feature[]>;
  find(filter: FeatureFilter, order: FeatureOrder, page: PageRequest): Promise<Page<Feature>>;
  /** The same page of the features of each of several segmentations, by segmentation. */
  findIn(
    segmentationIds: readonly string[],
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
  ): Promise<Map<string, Page<Feature>>>;
  count(filter: FeatureFilter): Promise<number>;
  /** Number of matching features by segmentation. */
  countsIn(segmentationIds: readonly string[], filter: FeatureFilter): Promise<Map<string, number>>;
  /** Outlines as RFC 7946 text by feature identifier; unknown identifiers are left out. */
  geometries(ids: readonly string[], format: GeometryFormat): Promise<Map<string, string>>;
  /** Text of one RFC 7946 FeatureCollection, made by the database. */
  featureCollection(filter: FeatureFilter, order: FeatureOrder, limit: number, format: GeometryFormat): Promise<string>;
  /** The same page of the neighbours of each of several features, by feature; nearest first. */
  neighbours(
    ids: readonly string[],
    filter: NeighbourFilter,
    page: PageRequest,
  ): Promise<Map<string, Page<FeatureNeighbour>>>;
  /** Number of neighbours by feature; unknown identifiers are left out. */
  neighbourCounts(ids: readonly string[], filter: NeighbourFilter): Promise<Map<string, number>>;
  /** Makes geometries valid; those that are valid already are left out. */
  repair(geometries: readonly Geometry[]): Promise<RepairedGeometry[]>;
}
