import type { Bbox } from './feature.ts';
import { type Measure, MEASURES, type MeasureValues } from './measures.ts';

/** A feature with everything that a file says of it. */
export interface FeatureRecord extends MeasureValues {
  readonly id: string;
  readonly sceneId: string;
  readonly sceneName: string;
  readonly segmentationId: string;
  readonly prompt: string;
  /** `name/version` */
  readonly model: string;
  /** Stored neighbours of either relation. */
  readonly neighbourCount: number;
  /** Geodesic distance to the geometry of the `near` condition; null without one. */
  readonly distanceM: number | null;
  /** When the scene was taken; null when that is not known. */
  readonly acquiredAt: Date | null;
  /** When the feature was stored. */
  readonly createdAt: Date;
  /** When its newest review was given; without one, when it was stored. */
  readonly updatedAt: Date;
  /** RFC 7946: west > east crosses the antimeridian. Columns and rows without georeference. */
  readonly bbox: Bbox;
}

export type AttributeName = Exclude<keyof FeatureRecord, 'bbox'>;
/** TEXT: UTF-8. REAL: IEEE 754 double. COUNT: whole number from 0. TIME: instant with milliseconds. */
export type AttributeKind = 'TEXT' | 'REAL' | 'COUNT' | 'TIME';

/** An attribute of a feature in a file. */
export interface FeatureAttribute {
  readonly name: AttributeName;
  readonly kind: AttributeKind;
  readonly unit: Measure['unit'];
  /** Whether a feature with georeference may be without it. */
  readonly nullable: boolean;
  readonly doc: string;
}

function text(name: AttributeName, doc: string): FeatureAttribute {
  return { name, kind: 'TEXT', unit: null, nullable: false, doc };
}

/** The attributes of a feature in every file and every GeoJSON, in order. */
export const FEATURE_ATTRIBUTES: readonly FeatureAttribute[] = [
  text('id', 'Identifier; in GeoJSON the `id` of the feature.'),
  text('sceneId', 'Identifier of the scene.'),
  text('sceneName', 'Name of the scene.'),
  text('segmentationId', 'Identifier of the segmentation.'),
  text('prompt', 'Text of the prompt.'),
  text('model', 'Model that answered, as `name/version`.'),
  ...MEASURES.map(({ name, kind, unit, missing, doc }): FeatureAttribute => ({
    name,
    kind,
    unit,
    nullable: missing === 'FOR_SOME',
    doc,
  })),
  {
    name: 'neighbourCount',
    kind: 'COUNT',
    unit: null,
    nullable: false,
    doc: 'Number of stored neighbours, which lie in the same scene.',
  },
  {
    name: 'distanceM',
    kind: 'REAL',
    unit: 'm',
    nullable: true,
    doc: 'Geodesic distance to the geometry of the `near` condition; null without one.',
  },
  {
    name: 'acquiredAt',
    kind: 'TIME',
    unit: null,
    nullable: true,
    doc: 'When the image was taken; null when unknown.',
  },
  { name: 'createdAt', kind: 'TIME', unit: null, nullable: false, doc: 'When the feature was stored.' },
  {
    name: 'updatedAt',
    kind: 'TIME',
    unit: null,
    nullable: false,
    doc: 'When the newest review of the feature was given; without one, when it was stored.',
  },
];

/** Attributes that a filter may name: a distance is that to a condition of the filter itself. */
export type Queryable = Exclude<AttributeName, 'distanceM'>;

/** The attributes that a filter may name, in order. */
export const FEATURE_QUERYABLES = FEATURE_ATTRIBUTES.filter(({ name }) => name !== 'distanceM');

const PROPERTIES = FEATURE_ATTRIBUTES.map(({ name }) => name).filter((name) => name !== 'id');

/**
 * Text of one RFC 7946 feature, the same at every outlet. Without georeference positions are columns and rows, and `areaM2`
 * is null.
 * @param outline RFC 7946 geometry as text, put in as it is
 * @param bbox of the outline; null leaves it out, as in other systems than WGS 84
 * @param names of its properties
 */
export function featureGeoJson(
  record: FeatureRecord,
  outline: string,
  bbox: Bbox | null = record.bbox,
  names: readonly AttributeName[] = PROPERTIES,
): string {
  const properties: Record<string, unknown> = {};
  for (const name of names) properties[name] = record[name];
  return (
    `{"type":"Feature","id":"${record.id}",${bbox ? `"bbox":${JSON.stringify(bbox)},` : ''}` +
    `"geometry":${outline},"properties":${JSON.stringify(properties)}}`
  );
}

/**
 * Text of one RFC 7946 feature collection, which says whether it holds everything.
 * @param features text of each
 * @param numberMatched features that match, of which the collection may hold fewer
 * @see https://docs.ogc.org/is/17-069r4/17-069r4.html (7.16: numberMatched, numberReturned)
 */
export function collectionGeoJson(features: readonly string[], numberMatched: number): string {
  const numberReturned = features.length;
  const counts = { numberMatched, numberReturned, truncated: numberReturned < numberMatched };
  return `{"type":"FeatureCollection",${JSON.stringify(counts).slice(1, -1)},"features":[${features.join(',')}]}`;
}
