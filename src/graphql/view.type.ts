import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { NodeType } from './connection.ts';
import { FeatureFilterInput, FeatureOrderInput, FeatureSortKeyEnum, SortDirectionEnum } from './feature.type.ts';
import { JSONScalar } from './scalars.ts';

export const ExportFormatEnum = enumOf(
  'GEOJSON',
  'NDJSON',
  'CSV',
  'FLATGEOBUF',
  'GEOPARQUET',
  'GEOPARQUET_PARTITIONED',
  'COCO',
);
registerEnumType(ExportFormatEnum, {
  name: 'ExportFormat',
  description: 'Format of a file of features.',
  valuesConfig: {
    GEOJSON: { description: 'RFC 7946 feature collection.' },
    NDJSON: { description: 'One RFC 7946 feature per line.' },
    CSV: { description: 'Comma-separated values with outlines as well-known text.' },
    FLATGEOBUF: { description: 'FlatGeobuf.' },
    GEOPARQUET: { description: 'GeoParquet 1.1.' },
    GEOPARQUET_PARTITIONED: { description: 'ZIP archive of GeoParquet files, one per prompt.' },
    COCO: { description: 'COCO annotations in pixels.' },
  },
});

@ObjectType('FeatureOrderOutput', { description: 'Order of the features of a view.' })
export class FeatureOrderType {
  @Field(() => FeatureSortKeyEnum, { description: 'Order key of the features.' })
  readonly by!: keyof typeof FeatureSortKeyEnum;

  @Field(() => SortDirectionEnum, { description: 'Direction.' })
  readonly direction!: keyof typeof SortDirectionEnum;
}

@ObjectType('View', {
  implements: NodeType,
  description: 'A named filter, available as a tile layer and as a file that follow its changes.',
})
export class ViewType extends NodeType {
  @Field(() => String, { description: 'Name in URLs; unique.' })
  readonly slug!: string;

  @Field(() => String, { description: 'Name.' })
  readonly name!: string;

  @Field(() => JSONScalar, { description: 'The filter, as JSON of `FeatureFilter`.' })
  readonly filter!: object;

  @Field(() => JSONScalar, { nullable: true, description: 'Style for clients; the service only stores it.' })
  readonly style!: unknown;
}

@InputType('ViewInput', { description: 'A view to save.' })
export class ViewInput {
  @Field(() => String, { description: 'Name, at most 200 characters.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Name in URLs: lower-case letters, digits and hyphens; derived from the name by default.',
  })
  slug?: string;

  @Field(() => FeatureFilterInput, { description: 'Conditions on the features of the view.' })
  filter!: FeatureFilterInput;

  @Field(() => FeatureOrderInput, { nullable: true, description: 'Order of the features; largest first by default.' })
  orderBy?: FeatureOrderInput;

  @Field(() => JSONScalar, { nullable: true, description: 'Style for clients, at most 64 KiB of JSON.' })
  style?: unknown;
}
