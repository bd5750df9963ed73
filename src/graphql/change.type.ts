import { Field, Float, ObjectType } from 'type-graphql';

@ObjectType('Change', {
  description: 'Comparison of two segmentations on the ground that both cover; features elsewhere are left out.',
})
export class ChangeType {
  @Field(() => Float, { description: 'Ground covered by features only in the later segmentation, square metres.' })
  readonly appearedAreaM2!: number;

  @Field(() => Float, { description: 'Ground covered by features only in the earlier segmentation, square metres.' })
  readonly vanishedAreaM2!: number;

  @Field(() => Float, { description: 'Ground covered by features in both segmentations, square metres.' })
  readonly persistedAreaM2!: number;
}

@ObjectType('ChangePair', { description: 'Two features that are the same object at two times.' })
export class ChangePairType {
  @Field(() => Float, { description: 'Intersection over union on the common ground, 0 to 1.' })
  readonly iou!: number;

  @Field(() => Float, { description: 'Later area minus earlier area on the common ground, square metres.' })
  readonly areaChangeM2!: number;
}
