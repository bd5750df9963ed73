import { BadInputError } from '../errors.ts';
import { QuotaExceededError, type Room, type Stock } from '../quota.ts';
import { type Quota, QUOTA_NAMES, type QuotaLookup, type QuotaName, type QuotaStore, type SetQuotas } from './quota.ts';
import type { RateLimits } from './rate-limits.ts';

/** Largest whole number that JSON tells exactly. */
const MOST = Number.MAX_SAFE_INTEGER;
const WINDOW_S = 60;

/** One budget of a workspace, as `Viewer.limits` tells of it. */
export interface Limit {
  readonly name: QuotaName;
  readonly maximum: number;
  readonly available: number;
  /** What comes back by itself; 0 for what somebody has to make room for. */
  readonly restoredPerS: number;
}

/** The quotas of a viewer's workspace. */
export class QuotaService implements Room {
  constructor(
    private readonly store: QuotaStore,
    private readonly lookup: QuotaLookup,
    private readonly rates: Pick<RateLimits, 'used'>,
    private readonly workspace: string,
  ) {}

  /** Every quota, with what is used of it. */
  async list(): Promise<Quota[]> {
    const set = await this.store.stored();
    const { defaults } = this.lookup;
    return Promise.all(
      QUOTA_NAMES.map(async (name) => ({
        name,
        maximum: set[name] ?? defaults[name],
        byDefault: defaults[name],
        isSet: set[name] !== null,
        used: await this.used(name),
      })),
    );
  }

  /** Those that limit the workspace. */
  async limits(): Promise<Limit[]> {
    const quotas = await this.list();
    return quotas.flatMap(({ name, maximum, used }) => {
      if (maximum === null) return [];
      const restoredPerS = rateOf(name) ? maximum / WINDOW_S : 0;
      return { name, maximum, available: Math.max(0, maximum - used), restoredPerS };
    });
  }

  /**
   * Replaces what is set for the workspace. Other processes follow within seconds.
   * @throws {BadInputError}
   */
  async set(quotas: SetQuotas): Promise<Quota[]> {
    for (const name of QUOTA_NAMES) {
      const [value, least] = [quotas[name], rateOf(name) ? 1 : 0];
      if (value === null || (Number.isInteger(value) && value >= least && value <= MOST)) continue;
      throw new BadInputError(
        `Argument input.${argumentOf(name)} is ${value}; it must be a whole number from ${least} to ${MOST}.`,
        { details: { argument: `input.${argumentOf(name)}`, value, limit: MOST } },
      );
    }
    await this.store.set(quotas);
    this.lookup.forget(this.workspace);
    return this.list();
  }

  async admit(stock: Stock, added: number, argument: string): Promise<void> {
    const limit = (await this.lookup.of(this.workspace))[stock];
    if (limit === null) return;
    const value = (await this.store.used(stock)) + added;
    if (value > limit) throw new QuotaExceededError(stock, argument, { value, added, limit });
  }

  private used(name: QuotaName): Promise<number> {
    const rate = rateOf(name);
    return rate ? this.rates.used(rate, this.workspace) : this.store.used(name as Stock);
  }
}

/** Name of a quota in inputs: `REQUESTS_PER_MINUTE` is `requestsPerMinute`. */
const argumentOf = (name: QuotaName): string =>
  name.toLowerCase().replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());

const rateOf = (name: QuotaName): 'requests' | 'cost' | null =>
  name === 'REQUESTS_PER_MINUTE' ? 'requests' : name === 'COST_PER_MINUTE' ? 'cost' : null;
