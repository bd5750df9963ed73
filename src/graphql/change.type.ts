import { Field, Float, ObjectType } from 'type-graphql';

@ObjectType('Change', {
  description: 'Two segmentations compared on the ground that both looked at; features elsewhere are left out.',
})
export class ChangeType {
  @Field(() => Float, { description: 'Ground covered only afterwards, by any feature, square metres.' })
  readonly appearedAreaM2!: number;

  @Field(() => Float, { description: 'Ground covered only before, square metres.' })
  readonly vanishedAreaM2!: number;

  @Field(() => Float, { description: 'Ground covered both times, square metres.' })
  readonly persistedAreaM2!: number;
}

@ObjectType('ChangePair', { description: 'Two features that are the same object at two times.' })
export class ChangePairType {
  @Field(() => Float, { description: 'Intersection over union on the common ground, 0 to 1.' })
  readonly iou!: number;

  @Field(() => Float, { description: 'Area afterwards minus area before on the common ground, square metres.' })
  readonly areaChangeM2!: number;
}
