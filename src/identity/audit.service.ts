import type { CountedPage, PageRequest } from '../page.ts';
import { currentRequest } from '../request-scope.ts';
import type { AuditEntry, AuditFilter, AuditStore } from './audit.ts';
import type { Viewer } from './viewer.ts';

/** Keeps and reads what viewers of a workspace did. */
export class AuditService {
  constructor(
    private readonly store: AuditStore,
    private readonly viewer: Viewer,
  ) {}

  /** Newest first. */
  list(filter: AuditFilter, page: PageRequest): Promise<CountedPage<AuditEntry>> {
    return this.store.list(filter, page);
  }

  /** @param targets identifiers of the objects; none: the action has no object */
  record(action: string, targets: readonly string[]): Promise<void> {
    const { subject, role } = this.viewer;
    const { requestId = 'none', address = 'this machine' } = currentRequest() ?? {};
    const entry = { subject, role, action, requestId, address };
    const all = targets.length > 0 ? targets : [null];
    return this.store.add(all.map((target) => ({ ...entry, target })));
  }
}
