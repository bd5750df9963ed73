import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { REVIEW_STATUSES } from '../feature/feature.filter.ts';
import { enumOf } from './enum.ts';
import { DateTimeScalar } from './scalars.ts';

export const ReviewStatusEnum = enumOf(...REVIEW_STATUSES);
registerEnumType(ReviewStatusEnum, {
  name: 'ReviewStatus',
  description: 'Verdict of a person on a feature.',
  valuesConfig: {
    UNREVIEWED: { description: 'Nobody said anything, or a verdict was taken back.' },
    ACCEPTED: { description: 'The feature is what was asked for.' },
    REJECTED: { description: 'The feature is not what was asked for.' },
  },
});

@ObjectType('Review', { description: 'What a person said of a feature; the answer of the model is never changed.' })
export class ReviewType {
  @Field(() => ReviewStatusEnum, { description: 'The verdict.' })
  readonly status!: keyof typeof ReviewStatusEnum;

  @Field(() => String, { nullable: true, description: 'What the feature is, in the words of the person.' })
  readonly label!: string | null;

  @Field(() => String, { nullable: true, description: 'A remark.' })
  readonly note!: string | null;

  @Field(() => String, { description: 'Who reviewed.' })
  readonly by!: string;

  @Field(() => DateTimeScalar, { description: 'When.' })
  readonly at!: Date;
}
