import { LRUCache } from 'lru-cache';
import { currentRequest } from '../request-scope.ts';
import { DEFAULT_VIEWER, type Viewer } from './viewer.ts';
import type { UnauthenticatedError } from './identity-errors.ts';
import type { NewAuditEntry } from './audit.ts';

/** The same attempt is recorded once in this time. */
const SAME_MS = 60_000;
/** Most attempts that a process records in that time; the log has those beyond it. */
const MOST = 300;
/** Longest part of a refused address or reason that is kept, characters. */
const MAX_TARGET = 300;

/** Records attempts that were refused, so that administrators see who tries what. */
export class Refusals {
  private readonly recent = new LRUCache<string, true>({ max: MOST, ttl: SAME_MS, ttlAutopurge: false });

  /**
   * @param write adds an entry to the audit of a workspace
   * @param log told of attempts that are not written down: there were too many, or it failed
   */
  constructor(
    private readonly write: (workspace: string, entry: NewAuditEntry) => Promise<void>,
    private readonly log: (entry: object) => void,
  ) {}

  /** Somebody may not do it. @param what as the client named it */
  forbidden({ workspace, subject, role }: Viewer, what: string): void {
    this.record(workspace, { subject, role, action: 'FORBIDDEN', target: what });
  }

  /**
   * A credential was not accepted. What is known of whose it was is in the error; others are recorded in the workspace that
   * exists from the start.
   */
  unauthenticated({ suspect, message }: UnauthenticatedError): void {
    const { workspace, subject } = suspect ?? { workspace: DEFAULT_VIEWER.workspace, subject: 'unknown' };
    this.record(workspace, { subject, role: 'none', action: 'UNAUTHENTICATED', target: message });
  }

  private record(
    workspace: string,
    attempt: Pick<NewAuditEntry, 'subject' | 'role' | 'action'> & { target: string },
  ): void {
    const { requestId = 'none', address = 'this machine' } = currentRequest() ?? {};
    const entry = { ...attempt, target: attempt.target.slice(0, MAX_TARGET), requestId, address };
    const same = JSON.stringify([workspace, entry.subject, entry.action, entry.target, address]);
    if (this.recent.has(same)) return;
    this.recent.purgeStale();
    if (this.recent.size >= MOST) {
      this.log({ workspace, ...entry });
      return;
    }
    this.recent.set(same, true);
    this.write(workspace, entry).catch((err: unknown) => this.log({ err, workspace, ...entry }));
  }
}
