import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver } from 'type-graphql';
import type { Quota } from '../identity/quota.ts';
import type { Limit } from '../identity/quota.service.ts';
import { AllowedTo } from './allowed-to.ts';
import type { RequestContext } from './context.ts';
import { LimitType, QuotasInput, QuotaType } from './quota.type.ts';
import { ViewerType } from './viewer.type.ts';

/** What a workspace may use up and have. */
@Resolver(() => ViewerType)
export class QuotaResolver {
  @FieldResolver(() => [LimitType], { description: 'What the workspace may use up and have; unlimited is left out.' })
  limits(@Ctx() { services }: RequestContext): Promise<Limit[]> {
    return services.quotas.limits();
  }

  @AllowedTo('admin')
  @Query(() => [QuotaType], { nullable: true, description: 'Every quota of the workspace, with what is used of it.' })
  quotas(@Ctx() { services }: RequestContext): Promise<Quota[]> {
    return services.quotas.list();
  }

  @AllowedTo('admin')
  @Mutation(() => [QuotaType], {
    nullable: true,
    description: 'Replaces the quotas that are set for the workspace; every process follows within a minute.',
  })
  setQuotas(
    @Arg('input', () => QuotasInput, { description: 'The quotas.' }) input: QuotasInput,
    @Ctx() { services }: RequestContext,
  ): Promise<Quota[]> {
    return services.quotas.set({
      REQUESTS_PER_MINUTE: input.requestsPerMinute ?? null,
      COST_PER_MINUTE: input.costPerMinute ?? null,
      WAITING_WINDOWS: input.waitingWindows ?? null,
      BYTES_STORED: input.bytesStored ?? null,
      FEATURES: input.features ?? null,
    });
  }
}
