import type { Geometry } from 'geojson';
import type { RepairedGeometry } from '../database/sql/valid-geometry.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Comparison } from './filter-cost.ts';
import type { Feature, FeatureNeighbour, GeometryFormat } from './feature.ts';
import type { FeatureFilter, FeatureOrder, NeighbourFilter } from './feature.filter.ts';
import type { FeatureRecord } from './feature-record.ts';
import type { MeasureName } from './measures.ts';

/** Values of a feature that JSON can be made of where it is stored. */
export type PlainName = 'id' | MeasureName | 'distanceM';

/** A field of the JSON text of a feature, under a name of its own. */
export type PlainField = { readonly key: string } & (
  | { readonly name: PlainName | '__typename' }
  | { readonly name: 'geometry'; readonly format: GeometryFormat }
);

/** The request for a page of texts. */
export interface AskedTexts {
  /** At least one. */
  readonly fields: readonly PlainField[];
  /** Whether the page is to have its cursors and say what is around it. */
  readonly pageInfo: boolean;
}

/** A page of features, each as JSON text. */
export interface TextPage {
  readonly texts: readonly string[];
  /** The same page with its cursors; null unless they were asked for. */
  readonly page: Page<string> | null;
}

/** A feature collection, and whether it holds everything. */
export interface CollectionText {
  /** RFC 7946, with the members `numberMatched`, `numberReturned` and `truncated`. */
  readonly text: string;
  readonly numberMatched: number;
  readonly numberReturned: number;
}

/** A feature as files and collections have it. */
export interface OutlinedRecord {
  readonly record: FeatureRecord;
  /** RFC 7946 geometry as text. */
  readonly outline: string;
}

/** Where features are kept; the port that the database implements. Filters come checked. */
export interface FeatureStore {
  byId(id: string): Promise<Feature | null>;
  /** By identifier, in any order; unknown identifiers are left out. */
  byIds(ids: readonly string[]): Promise<Feature[]>;
  /** @param outlines how to read the outlines of the page with it; absent or null: without outlines */
  find(
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
    outlines?: GeometryFormat | null,
  ): Promise<Page<Feature>>;
  /** The page that {@link find} gives, each feature as JSON text of some of its fields. */
  findTexts(filter: FeatureFilter, order: FeatureOrder, page: PageRequest, asked: AskedTexts): Promise<TextPage>;
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
  /** The first features as one RFC 7946 FeatureCollection. @param limit most features, 0 or more */
  featureCollection(
    filter: FeatureFilter,
    order: FeatureOrder,
    limit: number,
    format: GeometryFormat,
  ): Promise<CollectionText>;
  /** A page of features as files and collections have them. */
  records(
    filter: FeatureFilter,
    order: FeatureOrder,
    page: PageRequest,
    format: GeometryFormat,
  ): Promise<Page<OutlinedRecord>>;
  /** The same page of the neighbours of each of several features, by feature; nearest first. */
  neighbours(
    ids: readonly string[],
    filter: NeighbourFilter,
    page: PageRequest,
  ): Promise<Map<string, Page<FeatureNeighbour>>>;
  /** What measuring every pair of some features with others within a gap would compare. */
  comparison(ids: readonly string[], withinM: number): Promise<Comparison>;
  /** Number of neighbours by feature; unknown identifiers are left out. */
  neighbourCounts(ids: readonly string[], filter: NeighbourFilter): Promise<Map<string, number>>;
  /** Makes geometries valid; those that are valid already are left out. */
  repair(geometries: readonly Geometry[]): Promise<RepairedGeometry[]>;
}
