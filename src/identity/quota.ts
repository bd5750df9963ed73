import type { Stock } from '../quota.ts';

/** What a workspace may use up in a minute, and what it may have at a time. */
export const QUOTA_NAMES = [
  'REQUESTS_PER_MINUTE',
  'COST_PER_MINUTE',
  'WAITING_WINDOWS',
  'BYTES_STORED',
  'FEATURES',
] as const;
export type QuotaName = (typeof QUOTA_NAMES)[number];

/** Quotas of a workspace; null: unlimited. */
export type Quotas = Readonly<Record<QuotaName, number | null>>;

/** What is set for a workspace; null: as the settings say. */
export type SetQuotas = Readonly<Record<QuotaName, number | null>>;

/** One quota of a workspace. */
export interface Quota {
  readonly name: QuotaName;
  /** Null: unlimited. */
  readonly maximum: number | null;
  /** What holds where none is set; null: unlimited. */
  readonly byDefault: number | null;
  readonly isSet: boolean;
  /** In this minute, or at this time. */
  readonly used: number;
}

/** The quotas of one workspace; the port that the database implements. */
export interface QuotaStore {
  stored(): Promise<SetQuotas>;
  set(quotas: SetQuotas): Promise<void>;
  /** What the workspace has now. */
  used(stock: Stock): Promise<number>;
}

/** Quotas of every workspace, as they were in the last seconds. */
export interface QuotaLookup {
  readonly defaults: Quotas;
  of(workspace: string): Promise<Quotas>;
  /** Has the next look at a workspace's quotas read them anew. */
  forget(workspace: string): void;
}
