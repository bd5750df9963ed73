import { Field, Float, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { NodeType } from './connection.ts';
import { enumOf } from './enum.ts';
import { FeatureFilterInput, FeatureOrderInput } from './feature.type.ts';
import { FailureType } from './segmentation.type.ts';

export const FileFormatEnum = enumOf(
  'GEOJSON',
  'NDJSON',
  'GEOJSON_SEQUENCE',
  'CSV',
  'COCO',
  'FLATGEOBUF',
  'GEOPACKAGE',
  'GEOPARQUET',
  'GEOPARQUET_PARTITIONED',
  'PMTILES',
);
registerEnumType(FileFormatEnum, {
  name: 'FileFormat',
  description: 'Format of a stored file.',
  valuesConfig: {
    GEOJSON: { description: 'RFC 7946 feature collection.' },
    NDJSON: { description: 'One RFC 7946 feature per line.' },
    GEOJSON_SEQUENCE: { description: 'RFC 8142 sequence.' },
    CSV: { description: 'Comma-separated values with outlines as well-known text.' },
    COCO: { description: 'COCO annotations in pixels, as training data: an image per scene, a category per prompt.' },
    FLATGEOBUF: { description: 'FlatGeobuf with its spatial index.' },
    GEOPACKAGE: { description: 'GeoPackage with a spatial index.' },
    GEOPARQUET: { description: 'GeoParquet 1.1 with row groups along a space-filling curve.' },
    GEOPARQUET_PARTITIONED: {
      description: 'ZIP archive of a Hive-partitioned GeoParquet data set, `prompt=…/part-0.parquet`.',
    },
    PMTILES: { description: 'PMTiles 3 archive of vector tiles, for maps without a tile server.' },
  },
});

export const ExportStateEnum = enumOf('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED');
registerEnumType(ExportStateEnum, {
  name: 'ExportState',
  description: 'State of a stored file.',
  valuesConfig: {
    QUEUED: { description: 'Waiting for a worker.' },
    RUNNING: { description: 'Being written.' },
    SUCCEEDED: { description: 'Ready to download.' },
    FAILED: { description: 'Failed; `failure` has the reason.' },
    CANCELLED: { description: 'Cancelled by a client.' },
  },
});

@ObjectType('Export', { implements: NodeType, description: 'A file of features that is written in the background.' })
export class ExportType extends NodeType {
  @Field(() => FileFormatEnum, { description: 'Format.' })
  readonly format!: keyof typeof FileFormatEnum;

  @Field(() => ExportStateEnum, { description: 'State.' })
  readonly state!: keyof typeof ExportStateEnum;

  @Field(() => Int, { description: 'Features written so far.' })
  readonly featuresDone!: number;

  @Field(() => Int, { nullable: true, description: 'Number of features in the file; null until they are selected.' })
  readonly featuresTotal!: number | null;

  @Field(() => Int, { description: 'Matching features without longitude and latitude, which the file leaves out.' })
  readonly leftOut!: number;

  @Field(() => Float, { nullable: true, description: 'Size, bytes; null until SUCCEEDED.' })
  readonly sizeBytes!: number | null;

  @Field(() => String, { nullable: true, description: 'SHA-256, lower-case hexadecimal; null until SUCCEEDED.' })
  readonly sha256!: string | null;

  @Field(() => FailureType, { nullable: true, description: 'Why it FAILED.' })
  readonly failure!: FailureType | null;
}

@InputType('ExportInput', { description: 'Contents of a file.' })
export class ExportInput {
  @Field(() => FileFormatEnum, { description: 'Format.' })
  format!: keyof typeof FileFormatEnum;

  @Field(() => FeatureFilterInput, {
    nullable: true,
    description: 'Conditions on the features; all features by default.',
  })
  filter?: FeatureFilterInput;

  @Field(() => String, { nullable: true, description: 'Slug of a saved view instead of a filter.' })
  view?: string;

  @Field(() => FeatureOrderInput, {
    nullable: true,
    description:
      'Order of the features. Default: the order of the view, otherwise largest first; spatial order for GEOPARQUET and GEOPARQUET_PARTITIONED.',
  })
  orderBy?: FeatureOrderInput;

  @Field(() => Int, { nullable: true, description: 'Maximum number of features, from the start of the order.' })
  limit?: number;

  @Field(() => String, {
    nullable: true,
    description:
      'Coordinate reference system, `EPSG:code`; WGS 84 by default, and the only one of GeoJSON formats, COCO and PMTILES.',
  })
  crs?: string;

  @Field(() => Float, { nullable: true, description: 'Largest shift of an outline by simplification, metres.' })
  simplifyM?: number;

  @Field(() => Int, { nullable: true, description: 'Decimal places of coordinates in text formats, 0 to 15.' })
  precision?: number;

  @Field(() => [String], {
    nullable: true,
    description: 'Names of the attributes to write, such as `areaM2`; all of them by default. `id` is always written.',
  })
  include?: string[];
}
