import type { FeatureFilter, FeatureOrder } from '../feature/feature.filter.ts';
import type { ExportRow, OutlineForm } from './export-row.ts';

/** What to read. The filter comes checked. */
export interface ExportQuery {
  readonly filter: FeatureFilter;
  /** PLACE: along a space-filling curve. */
  readonly order: FeatureOrder | 'PLACE';
  /** Most features; the first in order. */
  readonly limit: number;
  readonly outline: OutlineForm;
  /** Decimal places of coordinates in text, 0 to 15; well-known binary is exact. */
  readonly precision: number;
  /** Largest shift of an outline by simplification, metres; 0 keeps it. */
  readonly simplifyM: number;
  /** Whether the chosen features of each prompt come together, in order among themselves. */
  readonly byPrompt: boolean;
}

/** Features that were chosen at one moment, to be read piece by piece. */
export interface ChosenFeatures {
  readonly featureCount: number;
  /** Features that match but have no longitude and latitude; they are not among the chosen, unless in FRAMED form. */
  readonly withoutGeoreference: number;
  /**
   * The features in order. A batch is bounded in rows and bytes, and is read when it is asked for; between batches
   * nothing is held in the database.
   * @throws {ExportInterruptedError} when a chosen feature has been deleted meanwhile
   */
  batches(): AsyncIterable<readonly ExportRow[]>;
}

/** Where exports read features; the port that the database implements. */
export interface ExportStore {
  choose(query: ExportQuery): Promise<ChosenFeatures>;
}
