import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureOrder } from '../feature/feature.filter.ts';

/** Which features a file is to hold. */
export interface ExportRequest {
  readonly filter: RequestedFilter;
  /** PLACE: along a space-filling curve. */
  readonly order: FeatureOrder | 'PLACE' | undefined;
  /** Most features; undefined: all that match. */
  readonly limit: number | undefined;
  /** Decimal places of coordinates; undefined: the default of the format. */
  readonly precision: number | undefined;
  /** Largest shift of an outline by simplification, metres; undefined: none. */
  readonly simplifyM?: number | undefined;
  /** Names of the attributes that are written; undefined: all. */
  readonly include?: readonly string[] | undefined;
  /** Such as `EPSG:28992`; undefined: WGS 84. */
  readonly crs?: string | undefined;
}
