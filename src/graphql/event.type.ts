import { Field, Float, ObjectType } from 'type-graphql';
import { DateTimeScalar } from './scalars.ts';
import { SegmentationStateEnum, SegmentationType } from './segmentation.type.ts';

const CURSOR =
  'Pass it as `after` to continue after this event, for instance after a lost connection. Events are kept for a week.';

@ObjectType('FeaturesAdded', { description: 'A segmentation stored features.' })
export class FeaturesAddedType {
  @Field(() => String, { description: CURSOR })
  readonly cursor!: string;

  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  readonly at!: Date;

  @Field(() => Float, { description: 'Number of matching features.' })
  readonly featureCount!: number;

  @Field(() => SegmentationType, { description: 'The segmentation that found them.' })
  readonly segmentation!: SegmentationType;
}

@ObjectType('SegmentationChanged', { description: 'A segmentation changed its state.' })
export class SegmentationChangedType {
  @Field(() => String, { description: CURSOR })
  readonly cursor!: string;

  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  readonly at!: Date;

  @Field(() => SegmentationStateEnum, { description: 'The new state; it may have changed again since.' })
  readonly state!: keyof typeof SegmentationStateEnum;

  @Field(() => SegmentationType, { description: 'The segmentation in its current state.' })
  readonly segmentation!: SegmentationType;
}
