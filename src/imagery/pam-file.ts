import { findTagByPath } from 'xml-utils';
import type { Affine } from '../raster/affine.ts';

/** What GDAL stored beside an image because the format has no room for it (PAM, `.aux.xml`). */
export interface PamFile {
  readonly affine: Affine | null;
  /** WKT. */
  readonly crs: string | null;
  readonly hasNodata: boolean;
}

/**
 * Reads the georeference of an `.aux.xml`.
 * @see https://gdal.org/user/raster_data_model.html and gcore/gdalpamdataset.cpp
 */
export function readPam(xml: string): PamFile {
  const crs = unescaped(findTagByPath(xml, ['PAMDataset', 'SRS'])?.inner ?? '').trim();
  const steps = (findTagByPath(xml, ['PAMDataset', 'GeoTransform'])?.inner ?? '').split(',').map(Number);
  const affine = steps.length === 6 && steps.every(Number.isFinite) ? (steps as unknown as Affine) : null;
  const hasNodata = findTagByPath(xml, ['PAMDataset', 'PAMRasterBand', 'NoDataValue']) !== undefined;
  return { affine, crs: crs === '' ? null : crs, hasNodata };
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' };

function unescaped(text: string): string {
  return text.replace(/&(quot|apos|lt|gt|amp);/g, (_, name: string) => ENTITIES[name]!);
}
