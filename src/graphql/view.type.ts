import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { NodeType } from './connection.ts';
import { FeatureFilterInput, FeatureOrderInput, FeatureSortKeyEnum, SortDirectionEnum } from './feature.type.ts';
import { JSONScalar } from './scalars.ts';

export const ExportFormatEnum = enumOf('GEOJSON', 'NDJSON', 'CSV', 'FLATGEOBUF', 'GEOPARQUET');
registerEnumType(ExportFormatEnum, {
  name: 'ExportFormat',
  description: 'Format of a file of features.',
  valuesConfig: {
    GEOJSON: { description: 'RFC 7946 feature collection.' },
    NDJSON: { description: 'One RFC 7946 feature a line.' },
    CSV: { description: 'Comma-separated values with outlines as well-known text.' },
    FLATGEOBUF: { description: 'FlatGeobuf.' },
    GEOPARQUET: { description: 'GeoParquet 1.1.' },
  },
});

@ObjectType('FeatureOrderOutput', { description: 'Order of the features of a view.' })
export class FeatureOrderType {
  @Field(() => FeatureSortKeyEnum, { description: 'What features are ordered by.' })
  readonly by!: keyof typeof FeatureSortKeyEnum;

  @Field(() => SortDirectionEnum, { description: 'Direction.' })
  readonly direction!: keyof typeof SortDirectionEnum;
}

@ObjectType('View', {
  implements: NodeType,
  description: 'A named filter: a tile layer and a file at once, which change with it.',
})
export class ViewType extends NodeType {
  @Field(() => String, { description: 'Name in addresses; unique.' })
  readonly slug!: string;

  @Field(() => String, { description: 'Name.' })
  readonly name!: string;

  @Field(() => JSONScalar, { description: 'The filter as `FeatureFilter` takes it.' })
  readonly filter!: object;

  @Field(() => JSONScalar, { nullable: true, description: 'How clients draw it; the service only keeps it.' })
  readonly style!: unknown;
}

@InputType('ViewInput', { description: 'A view as a person saves it.' })
export class ViewInput {
  @Field(() => String, { description: 'Name, at most 200 characters.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Name in addresses: lower-case letters, digits and hyphens; made of the name unless given.',
  })
  slug?: string;

  @Field(() => FeatureFilterInput, { description: 'Which features it shows.' })
  filter!: FeatureFilterInput;

  @Field(() => FeatureOrderInput, { nullable: true, description: 'Their order; largest first unless given.' })
  orderBy?: FeatureOrderInput;

  @Field(() => JSONScalar, { nullable: true, description: 'How clients draw it, at most 64 KiB of JSON.' })
  style?: unknown;
}
