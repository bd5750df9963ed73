import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import type { Feature } from '../feature/feature.ts';
import type { Review } from '../review/review.ts';
import type { RequestContext } from './context.ts';
import { FeatureType } from './feature.type.ts';
import { ReviewStatusEnum, ReviewType } from './review.type.ts';
import { DateTimeScalar } from './scalars.ts';

@Resolver(() => FeatureType)
export class ReviewResolver {
  @FieldResolver(() => ReviewType, {
    nullable: true,
    description: 'Newest review of the feature; null without a review.',
  })
  review(@Root() { id }: Feature, @Ctx() { reviews }: RequestContext): Promise<Review | null> {
    return reviews.load(id);
  }

  @FieldResolver(() => [ReviewType], { description: 'Every review of the feature, newest first.' })
  reviews(@Root() { id }: Feature, @Ctx() { reviewHistories }: RequestContext): Promise<readonly Review[]> {
    return reviewHistories.load(id);
  }

  @AllowedTo('analyst')
  @Mutation(() => [FeatureType], {
    description: 'Stores the same verdict on several features, all or nothing; earlier reviews are kept.',
  })
  async reviewFeatures(
    @Arg('ids', () => [ID], { description: 'Features, at most 1,000.' }) ids: string[],
    @Arg('status', () => ReviewStatusEnum, { description: 'The verdict.' }) status: keyof typeof ReviewStatusEnum,
    @Arg('label', () => String, { nullable: true, description: 'What the features are, at most 200 characters.' })
    label: string | null | undefined,
    @Arg('note', () => String, { nullable: true, description: 'A remark, at most 2,000 characters.' })
    note: string | null | undefined,
    @Arg('unchangedSince', () => DateTimeScalar, {
      nullable: true,
      description:
        'Refuses features that were reviewed after this instant (`REVIEW_CHANGED`); null disables the check.',
    })
    unchangedSince: Date | null | undefined,
    @Ctx() { services }: RequestContext,
  ): Promise<Feature[]> {
    await services.reviews.put(ids, { status, label: label ?? null, note: note ?? null }, unchangedSince ?? null);
    return services.features.byIds(ids);
  }
}
