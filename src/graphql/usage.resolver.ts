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
    description: 'Usage of the workspace by whole days in UTC; days without usage are omitted.',
  })
  usage(
    @Arg('from', () => DateTimeScalar, { description: 'A time on the first day.' }) from: Date,
    @Arg('to', () => DateTimeScalar, { description: 'End of the time; the day that it lies on counts in full.' })
    to: Date,
    @Arg('groupBy', () => [UsageGroupingEnum], {
      defaultValue: [],
      description: 'How usage is grouped; a single total by default.',
    })
    groupBy: UsageGrouping[],
    @Ctx() { services }: RequestContext,
  ): Promise<Usage[]> {
    return services.usage.between(from, to, groupBy);
  }
}
