import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { connectionTypes, NodeType, PageInfoType } from './connection.ts';
import { PROMPT_SEARCH } from './prompt-search.ts';
import { GeoJSONGeometryScalar } from './scalars.ts';
import { DateTimeRangeInput } from './scene.type.ts';
import { FEATURE_SORT_KEYS } from '../feature/feature.filter.ts';
import { ADJACENCY_RELATIONS } from '../feature/feature.ts';

export const AdjacencyRelationEnum = enumOf(...ADJACENCY_RELATIONS);
export const FeatureSortKeyEnum = enumOf(...FEATURE_SORT_KEYS);
export const SortDirectionEnum = enumOf('ASC', 'DESC');

registerEnumType(AdjacencyRelationEnum, {
  name: 'AdjacencyRelation',
  description: 'TOUCHES: pixel edges or corners meet. NEAR: a gap up to the limit that the service stores.',
});
registerEnumType(FeatureSortKeyEnum, {
  name: 'FeatureSortKey',
  valuesConfig: {
    DISTANCE: { description: 'To the geometry of the `near` filter.' },
    NEIGHBOURS: { description: 'Number of stored neighbours, which are those in the same scene.' },
  },
});
registerEnumType(SortDirectionEnum, { name: 'SortDirection' });

@ObjectType('Feature', { implements: NodeType, description: 'One polygon of a mask.' })
export class FeatureType extends NodeType {
  @Field(() => [Float], { description: '[west, south, east, north]' })
  readonly bbox!: readonly number[];

  @Field(() => Float, { nullable: true })
  readonly areaM2!: number | null;

  @Field(() => Float, { nullable: true })
  readonly perimeterM!: number | null;

  @Field(() => Int)
  readonly pixelCount!: number;

  @Field(() => Float)
  readonly meanProbability!: number;

  @Field(() => Float, { nullable: true, description: '4πA/P²: 1 for a disc.' })
  readonly compactness!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Azimuth of the long side of the minimum rotated rectangle, degrees from north, 0 to 180.',
  })
  readonly bearingDeg!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Geodesic distance to the geometry of the `near` filter; null without one.',
  })
  readonly distanceM!: number | null;
}

export const FeatureConnectionType = connectionTypes('Feature', () => FeatureType);

@ObjectType('FeatureNeighbour')
export class FeatureNeighbourType {
  @Field(() => FeatureType)
  readonly node!: FeatureType;

  @Field(() => String)
  readonly cursor!: string;

  @Field(() => AdjacencyRelationEnum)
  readonly relation!: keyof typeof AdjacencyRelationEnum;

  @Field(() => Float, { nullable: true })
  readonly sharedBorderM!: number | null;

  @Field(() => Float, { nullable: true })
  readonly gapM!: number | null;

  @Field(() => Float, { nullable: true, description: 'From this feature to the neighbour, degrees from north.' })
  readonly bearingDeg!: number | null;
}

@ObjectType('FeatureNeighbourConnection')
export class FeatureNeighbourConnectionType {
  @Field(() => [FeatureNeighbourType])
  readonly edges!: FeatureNeighbourType[];

  @Field(() => PageInfoType)
  readonly pageInfo!: PageInfoType;

  @Field(() => Int)
  readonly totalCount!: number;
}

@InputType('FloatRange', { description: 'Both ends included.' })
export class FloatRangeInput {
  @Field(() => Float, { nullable: true })
  min?: number;

  @Field(() => Float, { nullable: true })
  max?: number;
}

@InputType('NearInput')
export class NearInput {
  @Field(() => GeoJSONGeometryScalar)
  geometry!: object;

  @Field(() => Float, { description: 'Geodesic.' })
  withinM!: number;
}

@InputType('FeatureFilter', { description: 'Every condition given must hold. Geometry: RFC 7946, WGS 84.' })
export class FeatureFilterInput {
  @Field(() => ID, { nullable: true })
  sceneId?: string;

  @Field(() => ID, { nullable: true })
  segmentationId?: string;

  @Field(() => String, { nullable: true, description: PROMPT_SEARCH })
  promptContains?: string;

  @Field(() => ID, { nullable: true })
  modelId?: string;

  @Field(() => DateTimeRangeInput, { nullable: true })
  acquired?: DateTimeRangeInput;

  @Field(() => [Float], {
    nullable: true,
    description: '[west, south, east, north]; west > east crosses the antimeridian.',
  })
  bbox?: number[];

  @Field(() => GeoJSONGeometryScalar, { nullable: true })
  intersects?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true })
  within?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true })
  contains?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true })
  touches?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true })
  overlaps?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true })
  crosses?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true })
  disjoint?: object;

  @Field(() => NearInput, { nullable: true })
  near?: NearInput;

  @Field(() => FloatRangeInput, { nullable: true })
  areaM2?: FloatRangeInput;

  @Field(() => FloatRangeInput, { nullable: true })
  perimeterM?: FloatRangeInput;

  @Field(() => FloatRangeInput, { nullable: true })
  meanProbability?: FloatRangeInput;

  @Field(() => FloatRangeInput, { nullable: true })
  compactness?: FloatRangeInput;

  @Field(() => FloatRangeInput, {
    nullable: true,
    description:
      'Number of stored neighbours, which are those in the same scene; `neighbours` has those in others too.',
  })
  neighbourCount?: FloatRangeInput;

  @Field(() => FeatureFilterInput, {
    nullable: true,
    description: 'Has a neighbour that matches, in any scene: one of those that `neighbours` gives.',
  })
  adjacentTo?: FeatureFilterInput;

  @Field(() => Float, {
    nullable: true,
    description:
      'Largest geodesic gap to the neighbour of `adjacentTo`; when absent, the one up to which the service stores neighbours.',
  })
  adjacentWithinM?: number;

  @Field(() => [FeatureFilterInput], { nullable: true })
  and?: FeatureFilterInput[];

  @Field(() => [FeatureFilterInput], { nullable: true })
  or?: FeatureFilterInput[];

  @Field(() => FeatureFilterInput, { nullable: true })
  not?: FeatureFilterInput;
}

@InputType('FeatureOrder')
export class FeatureOrderInput {
  @Field(() => FeatureSortKeyEnum)
  by!: keyof typeof FeatureSortKeyEnum;

  @Field(() => SortDirectionEnum, { defaultValue: 'DESC' })
  direction!: keyof typeof SortDirectionEnum;
}
