import type { MultiPolygon, Polygon } from 'geojson';
import type { Affine } from '../raster/affine.ts';
import type { BandShow } from '../imagery/band-show.ts';
import type { Georeference } from '../imagery/georeference.ts';

/**
 * An image and its georeference, as registered. The pixels stay where they are (a path under an allowed root) or in
 * the blob store (`blobKey`).
 */
export interface Scene extends BandShow, Georeference {
  readonly id: string;
  readonly name: string;
  /** Where the image came from: absolute path, URL, or `upload:` and the file name the client gave. */
  readonly source: string;
  /** Lower-case hex SHA-256 of the file's bytes. */
  readonly sha256: string;
  /** Size as shown: after EXIF orientation. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** All samples of a pixel: colours, alpha and what else the file has; an internal mask is not a band. */
  readonly bands: number;
  /** `uint8`, `int16`, `float32`, …: sample type as stored. */
  readonly dtype: string;
  readonly nodata: number | null;
  /** Geodesic area of the footprint, computed by the store. */
  readonly areaM2: number | null;
  readonly acquiredAt: Date | null;
  readonly createdAt: Date;
  /** Blob that holds the bytes of an upload or a download; null for a path. */
  readonly blobKey: string | null;
}

/** What registration knows; the store adds the identifier, the time and the area. */
export type NewScene = Omit<Scene, 'id' | 'createdAt' | 'areaM2'>;

/** A scene whose pixels have a place on the ground. */
export interface GeoreferencedScene extends Scene {
  readonly crs: string;
  readonly affine: Affine;
  readonly gsdM: number;
  readonly footprint: Polygon | MultiPolygon;
}

/** Whether pixels of the scene have a place on the ground; without it metres are null everywhere. */
export function isGeoreferenced(scene: Scene): scene is GeoreferencedScene {
  return scene.crs !== null && scene.affine !== null && scene.footprint !== null && scene.gsdM !== null;
}
