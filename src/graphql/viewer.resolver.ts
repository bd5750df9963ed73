import { Arg, Args, Ctx, Query, Resolver } from 'type-graphql';
import type { AuditEntry } from '../identity/audit.ts';
import { withoutNulls } from './absent-null.ts';
import { AllowedTo } from './allowed-to.ts';
import { roleName } from './api-key.type.ts';
import { AuditConnectionType, AuditFilterInput } from './audit.type.ts';
import { type Connection, toConnection } from './connection.ts';
import type { RequestContext } from './context.ts';
import { askPage, PageArgs } from './page-request.ts';
import { ViewerType } from './viewer.type.ts';

/** Who asks, and what was done. */
@Resolver()
export class ViewerResolver {
  @AllowedTo('viewer')
  @Query(() => ViewerType, { description: 'Who asks.' })
  async viewer(@Ctx() { viewer, services }: RequestContext): Promise<ViewerType> {
    const { subject, role, workspace } = viewer;
    const found = await services.workspaces.find(workspace);
    return { subject, role: roleName(role), workspace: found ?? { id: workspace, name: workspace } };
  }

  @AllowedTo('admin')
  @Query(() => AuditConnectionType, { nullable: true, description: 'What was done in the workspace, newest first.' })
  async audit(
    @Arg('filter', () => AuditFilterInput, {
      nullable: true,
      description: 'Which entries to take; all of them unless given.',
    })
    filter: AuditFilterInput | undefined,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() { services, limits }: RequestContext,
  ): Promise<Connection<AuditEntry>> {
    const asked = withoutNulls(filter ?? {});
    const found = await askPage(page, limits.maxPage, (wanted) => services.audit.list(asked, wanted));
    return toConnection(found, found.totalCount);
  }
}
