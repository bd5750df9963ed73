import { Arg, Ctx, FieldResolver, Float, ID, Query, Resolver, Root } from 'type-graphql';
import { AllowedTo } from './allowed-to.ts';
import type { Feature } from '../feature/feature.ts';
import { FeatureType } from './feature.type.ts';
import type { RequestContext } from './context.ts';
import { OVERLAY_COST, unpagedCost, withWork } from './analysis-cost.ts';
import type { FeatureChange, MatchedPair } from '../analysis/change.ts';
import { ChangePairType, ChangeType } from './change.type.ts';

const DEFAULT_OVERLAP = 0.5;

@Resolver(() => ChangeType)
export class ChangeResolver {
  @AllowedTo('viewer')
  @Query(() => ChangeType, {
    complexity: withWork(OVERLAY_COST),
    description:
      'What appeared, vanished, grew, shrank or stayed the same between two segmentations of overlapping scenes.',
  })
  change(
    @Arg('fromSegmentationId', () => ID, { description: 'Segmentation of the earlier scene.' }) fromId: string,
    @Arg('toSegmentationId', () => ID, { description: 'Segmentation of the later scene.' }) toId: string,
    @Arg('minOverlap', () => Float, {
      nullable: true,
      defaultValue: DEFAULT_OVERLAP,
      description: 'Smallest intersection over union of a pair; best pairs are matched first.',
    })
    minOverlap: number | null,
    @Ctx() { services }: RequestContext,
  ): Promise<FeatureChange> {
    return services.changes.between(fromId, toId, minOverlap ?? DEFAULT_OVERLAP);
  }

  @FieldResolver(() => [FeatureType], {
    complexity: unpagedCost,
    description: 'Unmatched features of the later segmentation, largest first.',
  })
  appeared(@Root() { appearedIds }: FeatureChange, @Ctx() { features }: RequestContext): Promise<Feature[]> {
    return Promise.all(appearedIds.map((id) => features.load(id)));
  }

  @FieldResolver(() => [FeatureType], {
    complexity: unpagedCost,
    description: 'Unmatched features of the earlier segmentation, largest first.',
  })
  vanished(@Root() { vanishedIds }: FeatureChange, @Ctx() { features }: RequestContext): Promise<Feature[]> {
    return Promise.all(vanishedIds.map((id) => features.load(id)));
  }

  @FieldResolver(() => [ChangePairType], {
    complexity: unpagedCost,
    description: 'Matched features, best match first.',
  })
  pairs(@Root() { pairs }: FeatureChange): readonly MatchedPair[] {
    return pairs;
  }
}

@Resolver(() => ChangePairType)
export class ChangePairResolver {
  @FieldResolver(() => FeatureType, { description: 'The earlier feature.' })
  from(@Root() { fromId }: MatchedPair, @Ctx() { features }: RequestContext): Promise<Feature> {
    return features.load(fromId);
  }

  @FieldResolver(() => FeatureType, { description: 'The later feature.' })
  to(@Root() { toId }: MatchedPair, @Ctx() { features }: RequestContext): Promise<Feature> {
    return features.load(toId);
  }
}
