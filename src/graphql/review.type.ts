import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { REVIEW_STATUSES } from '../feature/feature.filter.ts';
import { enumOf } from './enum.ts';
import { DateTimeScalar } from './scalars.ts';

export const ReviewStatusEnum = enumOf(...REVIEW_STATUSES);
registerEnumType(ReviewStatusEnum, {
  name: 'ReviewStatus',
  description: "A person's verdict on a feature.",
  valuesConfig: {
    UNREVIEWED: { description: 'There is no verdict, or it was withdrawn.' },
    ACCEPTED: { description: 'The feature is what the prompt asked for.' },
    REJECTED: { description: 'The feature is not what the prompt asked for.' },
  },
});

@ObjectType('Review', { description: "A person's review of a feature; the model's answer is never changed." })
export class ReviewType {
  @Field(() => ReviewStatusEnum, { description: 'The verdict.' })
  readonly status!: keyof typeof ReviewStatusEnum;

  @Field(() => String, { nullable: true, description: "What the feature is, in the reviewer's words." })
  readonly label!: string | null;

  @Field(() => String, { nullable: true, description: 'A remark.' })
  readonly note!: string | null;

  @Field(() => String, { description: 'Who reviewed the feature.' })
  readonly by!: string;

  @Field(() => DateTimeScalar, { description: 'When.' })
  readonly at!: Date;
}
