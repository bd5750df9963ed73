import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import type { Usage, UsageGrouping } from '../identity/usage.ts';
import { AllowedTo } from './allowed-to.ts';
import type { RequestContext } from './context.ts';
import { DateTimeScalar } from './scalars.ts';
import { UsageGroupingEnum, UsageType } from './usage.type.ts';

/** What a workspace used up. */
@Resolver()
export class UsageResolver {
  @AllowedTo('admin')
  @Query(() => [UsageType], {
    nullable: true,
    description: 'What the workspace used up, by whole days in UTC; days without any use are left out.',
  })
  usage(
    @Arg('from', () => DateTimeScalar, { description: 'A time on the first day.' }) from: Date,
    @Arg('to', () => DateTimeScalar, { description: 'End of the time; the day that it lies on counts in full.' })
    to: Date,
    @Arg('groupBy', () => [UsageGroupingEnum], {
      defaultValue: [],
      description: 'By what usage is told apart; by nothing unless given.',
    })
    groupBy: UsageGrouping[],
    @Ctx() { services }: RequestContext,
  ): Promise<Usage[]> {
    return services.usage.between(from, to, groupBy);
  }
}
