import type { MultiPolygon, Polygon } from 'geojson';
import type { Affine } from '../raster/affine.ts';
import type { RemoteReference } from '../remote/remote-files.ts';
import type { BandShow } from '../imagery/band-show.ts';
import type { Georeference } from '../imagery/georeference.ts';

/** A registered image with its georeference. Its pixels stay at a path under an allowed root or in the blob store. */
export interface Scene extends BandShow, Georeference {
  readonly id: string;
  readonly name: string;
  /** Origin of the image: absolute path, URL, or `upload:` and the client's file name. */
  readonly source: string;
  /** Lower-case hex SHA-256 of the file's bytes; of a remote file its content key. */
  readonly sha256: string;
  /** Width after EXIF orientation. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Samples per pixel, including alpha and extra samples; an internal mask is not a band. */
  readonly bands: number;
  /** Stored sample type: `uint8`, `int16`, `float32`, … */
  readonly dtype: string;
  readonly nodata: number | null;
  /** Geodesic area of the footprint, computed by the store. */
  readonly areaM2: number | null;
  readonly acquiredAt: Date | null;
  readonly createdAt: Date;
  /** Blob with the bytes of an upload or download; null for a path and a remote file. */
  readonly blobKey: string | null;
  /** Where a file lies that is read by range; null for one that is at hand. */
  readonly remote: RemoteReference | null;
  /** Whom the tile service that the image was made of wants to be named, as plain text; null for other images. */
  readonly attribution: string | null;
  /** When the scene is deleted with everything found on it; null: as the settings say. */
  readonly keepUntil: Date | null;
  /** When the copy of its image was deleted; null where the image is readable. */
  readonly imageDeletedAt: Date | null;
}

/** A scene before it is stored; the store adds identifier, time and area. */
export type NewScene = Omit<Scene, 'id' | 'createdAt' | 'areaM2' | 'keepUntil' | 'imageDeletedAt'> &
  Partial<Pick<Scene, 'keepUntil'>>;

/** A scene with a georeference. */
export interface GeoreferencedScene extends Scene {
  readonly crs: string;
  readonly affine: Affine;
  readonly gsdM: number;
  readonly footprint: Polygon | MultiPolygon;
}

/** Whether the scene has a georeference; without one all measures in metres are null. */
export function isGeoreferenced(scene: Scene): scene is GeoreferencedScene {
  return scene.crs !== null && scene.affine !== null && scene.footprint !== null && scene.gsdM !== null;
}
