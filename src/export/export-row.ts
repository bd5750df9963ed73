import { FEATURE_ATTRIBUTES, type FeatureRecord } from '../feature/feature-record.ts';

/** How the outline of a row is written: RFC 7946 text, OGC well-known text, or well-known binary in base64. */
export type OutlineForm = 'GEOJSON' | 'WKT' | 'WKB';

/** A georeferenced feature, as a file has it. */
export interface ExportRow {
  readonly record: FeatureRecord;
  /** WGS 84 longitude and latitude, in the form that was asked for. */
  readonly outline: string;
}

/** The attributes of every format, in order. */
export const EXPORT_COLUMNS = FEATURE_ATTRIBUTES;
