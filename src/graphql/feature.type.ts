import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { connectionTypes, NodeType, PageInfoType } from './connection.ts';
import { PROMPT_SEARCH } from './prompt-search.ts';
import { GeoJSONGeometryScalar } from './scalars.ts';
import { DateTimeRangeInput } from './scene.type.ts';
import { FEATURE_SORT_KEYS } from '../feature/feature.filter.ts';
import { ReviewStatusEnum } from './review.type.ts';
import { ADJACENCY_RELATIONS } from '../feature/feature.ts';
import { MEASURES, SORTED_MEASURES } from '../feature/measures.ts';

export const AdjacencyRelationEnum = enumOf(...ADJACENCY_RELATIONS);
export const FeatureSortKeyEnum = enumOf(...FEATURE_SORT_KEYS);
export const SortDirectionEnum = enumOf('ASC', 'DESC');

registerEnumType(AdjacencyRelationEnum, {
  name: 'AdjacencyRelation',
  description: 'How two features are related.',
  valuesConfig: {
    TOUCHES: { description: 'Pixel edges or corners meet.' },
    NEAR: { description: "Separated by a gap of at most the service's neighbour distance." },
  },
});
registerEnumType(FeatureSortKeyEnum, {
  name: 'FeatureSortKey',
  description: 'Order key of features; features without the value come last in either direction.',
  valuesConfig: {
    ...Object.fromEntries(SORTED_MEASURES.map(({ sortKey, doc }) => [sortKey, { description: doc }])),
    CREATED: { description: 'When the feature was stored.' },
    DISTANCE: { description: 'Distance to the geometry of the `near` filter.' },
    NEIGHBOURS: { description: 'Number of stored neighbours, which lie in the same scene.' },
  },
});
registerEnumType(SortDirectionEnum, {
  name: 'SortDirection',
  description: 'Direction of an order.',
  valuesConfig: { ASC: { description: 'Smallest first.' }, DESC: { description: 'Largest first.' } },
});

@ObjectType('Feature', { implements: NodeType, description: 'One polygon of a mask.' })
export class FeatureType extends NodeType {
  @Field(() => [Float], { description: '[west, south, east, north]' })
  readonly bbox!: readonly number[];

  @Field(() => Float, {
    nullable: true,
    description: 'Geodesic distance to the geometry of the `near` filter; null without one.',
  })
  readonly distanceM!: number | null;
}
// A count may pass what `Int` holds, 2³¹ - 1.
for (const { name, missing, doc } of MEASURES) {
  Field(() => Float, { nullable: missing !== 'NEVER', description: doc })(FeatureType.prototype, name);
}

export const FeatureConnectionType = connectionTypes('Feature', () => FeatureType);

@ObjectType('FeatureNeighbour', { description: 'A neighbour of a feature.' })
export class FeatureNeighbourType {
  @Field(() => FeatureType, { description: 'The neighbour.' })
  readonly node!: FeatureType;

  @Field(() => String, { description: 'Cursor of the neighbour, for `after` and `before`.' })
  readonly cursor!: string;

  @Field(() => AdjacencyRelationEnum, { description: 'Relation of the two features.' })
  readonly relation!: keyof typeof AdjacencyRelationEnum;

  @Field(() => Float, {
    nullable: true,
    description: 'Length of the common border, metres; null where it is not measured.',
  })
  readonly sharedBorderM!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Geodesic gap between the outlines, metres; null where it is not measured.',
  })
  readonly gapM!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Azimuth from this feature to the neighbour, degrees clockwise from north.',
  })
  readonly bearingDeg!: number | null;
}

@ObjectType('FeatureNeighbourConnection', { description: 'A page of the neighbours of a feature.' })
export class FeatureNeighbourConnectionType {
  @Field(() => [FeatureNeighbourType], { description: 'Neighbours of the page.' })
  readonly edges!: FeatureNeighbourType[];

  @Field(() => PageInfoType, { description: 'Position of the page in the list.' })
  readonly pageInfo!: PageInfoType;

  @Field(() => Int, { description: 'Number of neighbours on all pages.' })
  readonly totalCount!: number;
}

@InputType('FloatRange', { description: 'A range of numbers, both ends included.' })
export class FloatRangeInput {
  @Field(() => Float, { nullable: true, description: 'Smallest value; unbounded by default.' })
  min?: number;

  @Field(() => Float, { nullable: true, description: 'Largest value; unbounded by default.' })
  max?: number;
}

@InputType('NearInput', { description: 'A geometry and a distance from it.' })
export class NearInput {
  @Field(() => GeoJSONGeometryScalar, { description: 'RFC 7946 geometry, WGS 84.' })
  geometry!: object;

  @Field(() => Float, { description: 'Largest geodesic distance, metres.' })
  withinM!: number;
}

@InputType('FeatureFilter', {
  description: 'Conditions on features; all of them must hold. Geometry: RFC 7946, WGS 84.',
})
export class FeatureFilterInput {
  @Field(() => [ID], { nullable: true, description: 'Any of these features, at most 1,000.' })
  ids?: string[];

  @Field(() => ID, { nullable: true, description: 'Scene in which the feature was found.' })
  sceneId?: string;

  @Field(() => [ID], { nullable: true, description: 'Any of these scenes, at most 1,000.' })
  sceneIds?: string[];

  @Field(() => ID, { nullable: true, description: 'Segmentation that found the feature.' })
  segmentationId?: string;

  @Field(() => String, { nullable: true, description: 'The exact prompt.' })
  prompt?: string;

  @Field(() => String, { nullable: true, description: PROMPT_SEARCH })
  promptContains?: string;

  @Field(() => ID, { nullable: true, description: 'Model as `name/version`.' })
  modelId?: string;

  @Field(() => DateTimeRangeInput, {
    nullable: true,
    description: 'When the image was taken; scenes without a date never match.',
  })
  acquired?: DateTimeRangeInput;

  @Field(() => DateTimeRangeInput, { nullable: true, description: 'When the feature was stored.' })
  created?: DateTimeRangeInput;

  @Field(() => DateTimeRangeInput, {
    nullable: true,
    description: 'When the feature was stored or last reviewed, whichever is later.',
  })
  updated?: DateTimeRangeInput;

  @Field(() => [ReviewStatusEnum], {
    nullable: true,
    description: 'Status of the newest review; features without a review are UNREVIEWED.',
  })
  review?: (keyof typeof ReviewStatusEnum)[];

  @Field(() => String, { nullable: true, description: 'The exact label of the newest review.' })
  label?: string;

  @Field(() => [Float], {
    nullable: true,
    description: '[west, south, east, north] that the feature intersects; west > east crosses the antimeridian.',
  })
  bbox?: number[];

  @Field(() => GeoJSONGeometryScalar, { nullable: true, description: 'Geometry that the feature intersects.' })
  intersects?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true, description: 'Geometry that the feature lies within.' })
  within?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true, description: 'Geometry that the feature contains.' })
  contains?: object;

  @Field(() => GeoJSONGeometryScalar, {
    nullable: true,
    description: 'Geometry that the feature touches: the boundaries meet, the interiors do not.',
  })
  touches?: object;

  @Field(() => GeoJSONGeometryScalar, {
    nullable: true,
    description: 'Geometry that the feature overlaps, neither containing the other.',
  })
  overlaps?: object;

  @Field(() => GeoJSONGeometryScalar, { nullable: true, description: 'Geometry that the feature crosses.' })
  crosses?: object;

  @Field(() => GeoJSONGeometryScalar, {
    nullable: true,
    description: 'Geometry that the feature shares no point with.',
  })
  disjoint?: object;

  @Field(() => NearInput, { nullable: true, description: 'Geometry, and the distance within which the feature lies.' })
  near?: NearInput;

  @Field(() => FloatRangeInput, {
    nullable: true,
    description:
      'Number of stored neighbours, which lie in the same scene; `neighbours` also has those in other scenes.',
  })
  neighbourCount?: FloatRangeInput;

  @Field(() => FeatureFilterInput, {
    nullable: true,
    description: 'Conditions that at least one neighbour, in any scene, must meet.',
  })
  adjacentTo?: FeatureFilterInput;

  @Field(() => Float, {
    nullable: true,
    description:
      "Largest geodesic gap to the neighbour of `adjacentTo`, metres; the service's neighbour distance by default.",
  })
  adjacentWithinM?: number;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether ground that several scenes of one day show is counted once: leaves out each feature of which another matching feature of the same prompt and model, in another scene of the same day (UTC), covers at least half and is larger. Scenes without a date are not compared.',
  })
  distinct?: boolean;

  @Field(() => [FeatureFilterInput], { nullable: true, description: 'Conditions that must all hold.' })
  and?: FeatureFilterInput[];

  @Field(() => [FeatureFilterInput], { nullable: true, description: 'Conditions of which at least one must hold.' })
  or?: FeatureFilterInput[];

  @Field(() => FeatureFilterInput, { nullable: true, description: 'Conditions that must not all hold together.' })
  not?: FeatureFilterInput;
}
for (const { name, doc } of SORTED_MEASURES) {
  Field(() => FloatRangeInput, { nullable: true, description: doc })(FeatureFilterInput.prototype, name);
}

@InputType('FeatureOrder', { description: 'Order of a list of features.' })
export class FeatureOrderInput {
  @Field(() => FeatureSortKeyEnum, { description: 'Order key.' })
  by!: keyof typeof FeatureSortKeyEnum;

  @Field(() => SortDirectionEnum, { defaultValue: 'DESC', description: 'Direction of the order.' })
  direction!: keyof typeof SortDirectionEnum;
}
