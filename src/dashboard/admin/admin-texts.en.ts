import type { QuotaName } from '../generated/graphql.ts';

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const instant = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

export const time = (iso: string | null): string => (iso === null ? 'never' : instant.format(new Date(iso)));
export const amount = (value: number): string => (value < 100 ? precise.format(value) : number.format(value));

export const quotaNames: Readonly<Record<QuotaName, string>> = {
  REQUESTS_PER_MINUTE: 'Requests per minute',
  COST_PER_MINUTE: 'Cost per minute',
  WAITING_WINDOWS: 'Waiting windows',
  BYTES_STORED: 'Stored bytes',
  FEATURES: 'Features',
};

export const adminTexts = {
  title: 'Administration',
  tabs: { keys: 'Keys', quotas: 'Quotas', usage: 'Usage', audit: 'Audit' },
  noKeys: 'No keys yet.',
  keyName: 'What it is for',
  role: 'Role',
  expires: 'Expires',
  create: 'Create key',
  secret: 'Copy the key now; it is not shown again.',
  copy: 'Copy',
  copied: 'Copied.',
  revoke: 'Revoke',
  revoked: (at: string): string => `Revoked ${at}`,
  expired: (at: string): string => `Expired ${at}`,
  accepted: 'Accepted',
  until: (at: string): string => `Until ${at}`,
  lastUsed: (at: string): string => `Last used: ${at}`,
  unlimited: 'unlimited',
  default: 'Default',
  byDefault: (value: string): string => `Default: ${value}`,
  used: (value: string): string => `${value} used`,
  saveQuotas: 'Save quotas',
  saved: 'Saved.',
  emptyIsDefault: 'An empty field means the default of the service.',
  days: (days: number): string => `Last ${days} days`,
  byDay: 'By day',
  byModel: 'By model',
  noUsage: 'Nothing was used in this time.',
  noModel: 'Without a model',
  more: 'Show more',
  noAudit: 'No entries.',
} as const;
