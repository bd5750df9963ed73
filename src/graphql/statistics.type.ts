import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { FEATURE_GROUPINGS } from '../analysis/statistics.ts';

export const FeatureGroupingEnum = enumOf(...FEATURE_GROUPINGS);

const CELL =
  'Equal-area cell (EPSG:6933, EASE-Grid 2.0) of the centroid as `column/row`, counted from 0° E 0° N; empty without georeference.';
registerEnumType(FeatureGroupingEnum, {
  name: 'FeatureGrouping',
  description: 'What features are grouped by, and the content of the group key.',
  valuesConfig: {
    SCENE: { description: 'Identifier of the scene.' },
    SEGMENTATION: { description: 'Identifier of the segmentation.' },
    PROMPT: { description: 'Text of the prompt.' },
    MODEL: { description: 'Model as `name/version`.' },
    ACQUIRED_DAY: {
      description: 'UTC day on which the scene was taken, `2024-06-01`; empty for scenes without a date.',
    },
    GRID_1KM: { description: CELL },
    GRID_10KM: { description: CELL },
  },
});

@ObjectType('FeatureStatistics', { description: 'Measures of a group of features.' })
export class FeatureStatisticsType {
  @Field(() => [String], { description: 'One text per entry of `groupBy`, in the same order.' })
  readonly key!: readonly string[];

  @Field(() => Int, { description: 'Number of features.' })
  readonly featureCount!: number;

  @Field(() => Float, { nullable: true, description: 'Sum of the areas, square metres; null when no feature has one.' })
  readonly areaM2!: number | null;

  @Field(() => Float, { nullable: true, description: 'Sum of the perimeters, metres; null when no feature has one.' })
  readonly perimeterM!: number | null;

  @Field(() => Float, { nullable: true, description: 'Mean probability over all pixels of the features, 0 to 1.' })
  readonly meanProbability!: number | null;
}
