import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { FEATURE_GROUPINGS } from '../analysis/statistics.ts';

export const FeatureGroupingEnum = enumOf(...FEATURE_GROUPINGS);

const CELL =
  'Equal-area cell (EPSG:6933, EASE-Grid 2.0) of the centroid as `column/row` from 0° E 0° N; empty without georeference.';
registerEnumType(FeatureGroupingEnum, {
  name: 'FeatureGrouping',
  description: 'What features are grouped by, and what stands in the key.',
  valuesConfig: {
    ACQUIRED_DAY: { description: 'UTC day of the scene, `2024-06-01`; empty for scenes without a date.' },
    GRID_1KM: { description: CELL },
    GRID_10KM: { description: CELL },
    MODEL: { description: '`name/version`.' },
  },
});

@ObjectType('FeatureStatistics', { description: 'Measures of a group of features.' })
export class FeatureStatisticsType {
  @Field(() => [String], { description: 'One text for each of `groupBy`, in its order.' })
  readonly key!: readonly string[];

  @Field(() => Int)
  readonly featureCount!: number;

  @Field(() => Float, { nullable: true, description: 'Sum over the features that have an area; null when none has.' })
  readonly areaM2!: number | null;

  @Field(() => Float, { nullable: true })
  readonly perimeterM!: number | null;

  @Field(() => Float, { nullable: true, description: 'Over all pixels of the features.' })
  readonly meanProbability!: number | null;
}
