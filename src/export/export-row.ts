import type { Bbox } from '../feature/feature.ts';

/** How the outline of a row is written: RFC 7946 text, OGC well-known text, or well-known binary in base64. */
export type OutlineForm = 'GEOJSON' | 'WKT' | 'WKB';

/** A georeferenced feature with what a file says of it. */
export interface ExportRow {
  readonly id: string;
  readonly sceneId: string;
  readonly sceneName: string;
  readonly segmentationId: string;
  readonly prompt: string;
  /** `name/version` */
  readonly model: string;
  /** Geodesic, like the perimeter. */
  readonly areaM2: number;
  readonly perimeterM: number;
  readonly pixelCount: number;
  readonly meanProbability: number;
  /** 4πA/P², 1 for a disc. */
  readonly compactness: number;
  /** Azimuth of the long side, degrees from north, [0, 180); null for a square. */
  readonly bearingDeg: number | null;
  /** Stored neighbours of either relation. */
  readonly neighbourCount: number;
  /** Geodesic distance to the geometry of the `near` condition; null without one. */
  readonly distanceM: number | null;
  /** When the scene was taken; null when that is not known. */
  readonly acquiredAt: Date | null;
  /** When the feature was stored. */
  readonly createdAt: Date;
  /** RFC 7946: west > east crosses the antimeridian. */
  readonly bbox: Bbox;
  /** WGS 84 longitude and latitude, in the form that was asked for. */
  readonly outline: string;
}

export type ColumnName = Exclude<keyof ExportRow, 'bbox' | 'outline'>;
/** TEXT: UTF-8. REAL: IEEE 754 double. COUNT: whole number from 0. TIME: instant with milliseconds. */
export type ColumnKind = 'TEXT' | 'REAL' | 'COUNT' | 'TIME';

export interface ExportColumn {
  readonly name: ColumnName;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
}

/** The attributes of every format, in order. */
export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  { name: 'id', kind: 'TEXT', nullable: false },
  { name: 'sceneId', kind: 'TEXT', nullable: false },
  { name: 'sceneName', kind: 'TEXT', nullable: false },
  { name: 'segmentationId', kind: 'TEXT', nullable: false },
  { name: 'prompt', kind: 'TEXT', nullable: false },
  { name: 'model', kind: 'TEXT', nullable: false },
  { name: 'areaM2', kind: 'REAL', nullable: false },
  { name: 'perimeterM', kind: 'REAL', nullable: false },
  { name: 'pixelCount', kind: 'COUNT', nullable: false },
  { name: 'meanProbability', kind: 'REAL', nullable: false },
  { name: 'compactness', kind: 'REAL', nullable: false },
  { name: 'bearingDeg', kind: 'REAL', nullable: true },
  { name: 'neighbourCount', kind: 'COUNT', nullable: false },
  { name: 'distanceM', kind: 'REAL', nullable: true },
  { name: 'acquiredAt', kind: 'TIME', nullable: true },
  { name: 'createdAt', kind: 'TIME', nullable: false },
];
