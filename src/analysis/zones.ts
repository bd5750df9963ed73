import type { MultiPolygon, Polygon } from 'geojson';
import type { FeatureFilter } from '../feature/feature.filter.ts';

/** Areas to measure in: given outlines, stored features, or footprints of scenes. */
export type Zones =
  | { readonly kind: 'OUTLINES'; readonly outlines: readonly (Polygon | MultiPolygon)[] }
  | { readonly kind: 'FEATURES' | 'SCENES'; readonly ids: readonly string[] };

/** What a zone is, before anything is measured in it. */
export interface ZoneDescription {
  /** Place among the zones that were given, from 0. */
  readonly index: number;
  readonly vertices: number;
  /** Geodesic; null without georeference. */
  readonly areaM2: number | null;
  /** Why the outline is not valid by OGC Simple Features; null when it is. What it is repaired to is measured. */
  readonly invalid: string | null;
}

/** What the features that match leave in a zone. */
export interface ZoneCoverage {
  readonly featureCount: number;
  /** Geodesic, overlaps counted once. */
  readonly coveredAreaM2: number;
}

/** The nearest of the features that match. */
export interface NearestToZone {
  readonly featureId: string;
  /** Geodesic, from outline to outline; 0 for a feature that meets the zone. */
  readonly distanceM: number;
}

/** Measures in zones; the port that the database implements. A feature that is the zone itself is left out everywhere. */
export interface ZoneStore {
  /** In the order of the zones; what is not stored is left out. */
  describe(zones: Zones): Promise<ZoneDescription[]>;
  /** By index; zones without a feature are left out. */
  coverage(zones: Zones, filter: FeatureFilter): Promise<ReadonlyMap<number, ZoneCoverage>>;
  /** By index; empty when no feature matches. */
  nearest(zones: Zones, filter: FeatureFilter): Promise<ReadonlyMap<number, NearestToZone>>;
}
