import type { CountedPage, PageRequest } from '../page.ts';

/** An entry of the audit log. */
export interface AuditEntry {
  readonly id: string;
  readonly at: Date;
  /** Name of the key or subject of the token. */
  readonly subject: string;
  /** Name of the mutation. */
  readonly action: string;
  /** Identifier of the object; null where there is none. */
  readonly target: string | null;
  readonly requestId: string;
  /** Address of the client. */
  readonly address: string;
}

/** What is recorded; the store adds identifier and time. */
export type NewAuditEntry = Omit<AuditEntry, 'id' | 'at'> & { readonly role: string };

/** Which entries to take. */
export interface AuditFilter {
  readonly subject?: string;
  readonly action?: string;
  readonly target?: string;
}

/** The records of one workspace; the port that the database implements. */
export interface AuditStore {
  /** Newest first. */
  list(filter: AuditFilter, page: PageRequest): Promise<CountedPage<AuditEntry>>;
  add(entries: readonly NewAuditEntry[]): Promise<void>;
}
