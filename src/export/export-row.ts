import {
  type AttributeName,
  FEATURE_ATTRIBUTES,
  type FeatureAttribute,
  type FeatureRecord,
} from '../feature/feature-record.ts';
import type { Affine } from '../raster/affine.ts';
import { InvalidExportError } from './export-errors.ts';

/**
 * How the outline of a row is written: RFC 7946 text, OGC well-known text, or well-known binary in base64. FRAMED is
 * RFC 7946 text beside the frame of its scene, in pixels where the scene has no georeference.
 */
export type OutlineForm = 'GEOJSON' | 'WKT' | 'WKB' | 'FRAMED';

/** A feature, as a file has it. */
export interface ExportRow {
  readonly record: FeatureRecord;
  /** WGS 84 longitude and latitude, in the form that was asked for. */
  readonly outline: string;
  /** Of the scene; null unless FRAMED was asked for. */
  readonly frame: SceneFrame | null;
}

/** The image that a feature was found in. */
export interface SceneFrame {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Null without georeference. */
  readonly georeference: { readonly crs: string; readonly affine: Affine } | null;
}

/** Batches of features, and what of them is written. */
export interface ExportContents {
  readonly batches: AsyncIterable<readonly ExportRow[]>;
  readonly columns: readonly FeatureAttribute[];
  /** System of the outlines, as `EPSG:code`, when they are not in WGS 84. */
  readonly crs: string | null;
}

const ALWAYS: AttributeName = 'id';

/**
 * The attributes of a file, in their own order; all of them by default. The identifier is always among them.
 * @throws {InvalidExportError} for a name that is none
 */
export function exportColumns(include: readonly string[] | undefined): readonly FeatureAttribute[] {
  if (include === undefined) return FEATURE_ATTRIBUTES;
  const unknown = include.find((name) => !FEATURE_ATTRIBUTES.some((known) => known.name === name));
  if (unknown !== undefined) {
    const names = FEATURE_ATTRIBUTES.map(({ name }) => name).join(', ');
    throw new InvalidExportError(`include names ${JSON.stringify(unknown)}; the attributes are ${names}.`);
  }
  return FEATURE_ATTRIBUTES.filter(({ name }) => name === ALWAYS || include.includes(name));
}
