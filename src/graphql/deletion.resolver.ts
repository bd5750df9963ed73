import { Arg, Ctx, Int, Query, Resolver } from 'type-graphql';
import type { DeletionPage } from '../retention/deletion.ts';
import { AllowedTo } from './allowed-to.ts';
import type { RequestContext } from './context.ts';
import { DeletionPageType } from './deletion.type.ts';
import { pageSize } from './page-request.ts';
import { DateTimeScalar } from './scalars.ts';

const DEFAULT_DELETIONS = 1000;

@Resolver(() => DeletionPageType)
export class DeletionResolver {
  @AllowedTo('viewer')
  @Query(() => DeletionPageType, {
    description:
      'What was deleted since a time or after a cursor, oldest first, for clients that keep a copy of what is stored. Without both it returns the cursor to begin with.',
  })
  deletedSince(
    @Arg('time', () => DateTimeScalar, { nullable: true, description: 'Deletions at or after this instant.' })
    time: Date | null | undefined,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of an earlier page.' })
    after: string | null | undefined,
    @Arg('first', () => Int, {
      nullable: true,
      defaultValue: DEFAULT_DELETIONS,
      description: 'Maximum number of deletions.',
    })
    first: number | null,
    @Ctx() { services, limits }: RequestContext,
  ): Promise<DeletionPage> {
    const limit = pageSize('first', first ?? DEFAULT_DELETIONS, limits.maxPage);
    return services.deletions.since({ time: time ?? undefined, after: after ?? undefined }, limit);
  }
}
