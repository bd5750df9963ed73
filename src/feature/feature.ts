import type { MeasureValues } from './measures.ts';

/** A position: WGS 84 longitude and latitude, or column and row of the scene frame without georeference. */
export type Position = readonly [number, number];
/** `[west, south, east, north]`; west > east crosses the antimeridian. Columns and rows without georeference. */
export type Bbox = readonly [number, number, number, number];

export const ADJACENCY_RELATIONS = ['TOUCHES', 'NEAR'] as const;
/** TOUCHES: pixel edges or corners meet, or the features overlap. NEAR: a gap between them. */
export type AdjacencyRelation = (typeof ADJACENCY_RELATIONS)[number];

/** How outlines are written. */
export interface GeometryFormat {
  /** Decimal places of a coordinate, 0 to 15. */
  readonly precision: number;
  /** Largest shift of an outline by simplification, metres; 0 keeps it. Outlines in pixels are never simplified. */
  readonly simplifyM: number;
}

/** An outline as RFC 7946 text. */
export interface Outline {
  readonly format: GeometryFormat;
  readonly text: string;
}

/** One stored polygon of a mask, with its measures. */
export interface Feature extends MeasureValues {
  readonly id: string;
  readonly sceneId: string;
  readonly segmentationId: string;
  /** Number in its mask, from 1. */
  readonly label: number;
  readonly georeferenced: boolean;
  readonly centroid: Position;
  readonly bbox: Bbox;
  /** Geodesic distance to the geometry of the `near` condition; null without one. */
  readonly distanceM: number | null;
  /** Absent unless it was read with the feature: see `FeatureStore.geometries`. */
  readonly outline?: Outline;
}

/** A feature seen from another. */
export interface FeatureNeighbour {
  readonly node: Feature;
  readonly relation: AdjacencyRelation;
  /** Geodesic length of the common outline; null where none is known. */
  readonly sharedBorderM: number | null;
  /** Geodesic; 0 for TOUCHES, null without georeference. */
  readonly gapM: number | null;
  /** From centroid to centroid, [0, 360); null without georeference. */
  readonly bearingDeg: number | null;
}
