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

/** The viewer, and the audit log. */
@Resolver()
export class ViewerResolver {
  @AllowedTo('viewer')
  @Query(() => ViewerType, { description: 'The viewer of the request.' })
  async viewer(@Ctx() { viewer, services }: RequestContext): Promise<Omit<ViewerType, 'limits'>> {
    const { subject, role, workspace } = viewer;
    const found = await services.workspaces.find(workspace);
    return { subject, role: roleName(role), workspace: found ?? { id: workspace, name: workspace } };
  }

  @AllowedTo('admin')
  @Query(() => AuditConnectionType, { nullable: true, description: 'Audit log of the workspace, newest first.' })
  async audit(
    @Arg('filter', () => AuditFilterInput, {
      nullable: true,
      description: 'Conditions on the entries; all entries by default.',
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
