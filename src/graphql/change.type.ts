import { Field, Float, ObjectType } from 'type-graphql';

@ObjectType('Change', {
  description: 'Two segmentations compared on the ground that both looked at; features elsewhere are left out.',
})
export class ChangeType {
  @Field(() => Float, { description: 'Ground covered only afterwards, by whatever feature.' })
  readonly appearedAreaM2!: number;

  @Field(() => Float, { description: 'Ground covered only before.' })
  readonly vanishedAreaM2!: number;

  @Field(() => Float, { description: 'Ground covered both times.' })
  readonly persistedAreaM2!: number;
}

@ObjectType('ChangePair', { description: 'Two features that are one thing at two times.' })
export class ChangePairType {
  @Field(() => Float, { description: 'Intersection over union, on the common ground.' })
  readonly iou!: number;

  @Field(() => Float, { description: 'Area afterwards less area before, on the common ground.' })
  readonly areaChangeM2!: number;
}
