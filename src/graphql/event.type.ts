import { Field, Float, ObjectType } from 'type-graphql';
import { DateTimeScalar } from './scalars.ts';
import { SegmentationStateEnum, SegmentationType } from './segmentation.type.ts';

const CURSOR = 'Pass it as `after` to go on behind this event, for instance after a lost connection. Kept for a week.';

@ObjectType('FeaturesAdded', { description: 'A segmentation stored features.' })
export class FeaturesAddedType {
  @Field(() => String, { description: CURSOR })
  readonly cursor!: string;

  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  readonly at!: Date;

  @Field(() => Float, { description: 'Number of the features that match.' })
  readonly featureCount!: number;

  @Field(() => SegmentationType, { description: 'The segmentation that found them.' })
  readonly segmentation!: SegmentationType;
}

@ObjectType('SegmentationChanged', { description: 'A segmentation came to another state.' })
export class SegmentationChangedType {
  @Field(() => String, { description: CURSOR })
  readonly cursor!: string;

  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  readonly at!: Date;

  @Field(() => SegmentationStateEnum, { description: 'The state that it came to; it may have gone on since.' })
  readonly state!: keyof typeof SegmentationStateEnum;

  @Field(() => SegmentationType, { description: 'The segmentation as it is now.' })
  readonly segmentation!: SegmentationType;
}
