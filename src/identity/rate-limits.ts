import { RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Queries } from '../database/database.ts';
import { AppError } from '../errors.ts';
import type { QuotaLookup, QuotaName } from './quota.ts';

/** What is left of what a workspace may use up in a minute. */
export interface Budget {
  readonly name: 'requests' | 'cost';
  readonly maximum: number;
  /** Taken in this minute, what was refused included. */
  readonly used: number;
  /** Not below 0. */
  readonly available: number;
  /** Seconds after which all of it is available again. */
  readonly resetS: number;
}

/** A workspace used up what it may use up in a minute. */
export class RateLimitedError extends AppError {
  readonly code = 'RATE_LIMITED';
  readonly retryAfterS: number;
  override readonly details: Readonly<Record<string, string | number>>;
  constructor(readonly budget: Budget) {
    const { name, maximum, used, resetS } = budget;
    super(`The workspace has used its ${name} of ${maximum} per minute; retry in ${resetS} s.`);
    this.retryAfterS = resetS;
    this.details = { quota: QUOTA_OF[name], value: used, limit: maximum };
  }
}

const QUOTA_OF: Readonly<Record<Budget['name'], QuotaName>> = {
  requests: 'REQUESTS_PER_MINUTE',
  cost: 'COST_PER_MINUTE',
};
const WINDOW_S = 60;
/** The library compares with one limit for all keys; ours differ by workspace and are compared here. */
const UNLIMITED_POINTS = 2 ** 31 - 1;

type Counter = Pick<RateLimiterMemory, 'penalty' | 'get'>;

/** Counts requests and cost of each workspace by the minute. */
export class RateLimits {
  private readonly counters: Readonly<Record<Budget['name'], Counter>>;

  /**
   * @param shared whether several processes may serve, so that the counters are kept in the database
   * @param onTaken told of what was taken, whether there is a limit or not
   */
  constructor(
    private readonly queries: Pick<Queries, 'foreign'>,
    private readonly quotas: Pick<QuotaLookup, 'of'>,
    shared: boolean,
    private readonly onTaken: (name: Budget['name'], workspace: string, points: number) => void = () => undefined,
  ) {
    const counter = (keyPrefix: string): Counter => {
      const options = { keyPrefix, points: UNLIMITED_POINTS, duration: WINDOW_S };
      return shared ? new RateLimiterPostgres({ ...options, ...this.table() }) : new RateLimiterMemory(options);
    };
    this.counters = { requests: counter('requests'), cost: counter('cost') };
  }

  /**
   * Takes points out of a budget.
   * @returns what is left; null where the workspace has no such limit
   * @throws {RateLimitedError}
   */
  async take(name: Budget['name'], workspace: string, points: number): Promise<Budget | null> {
    const maximum = (await this.quotas.of(workspace))[QUOTA_OF[name]];
    if (maximum === null) {
      this.onTaken(name, workspace, points);
      return null;
    }
    const { consumedPoints, msBeforeNext } = await this.counters[name].penalty(workspace, Math.ceil(points));
    const resetS = Math.max(1, Math.ceil(msBeforeNext / 1000));
    const budget = { name, maximum, used: consumedPoints, available: Math.max(0, maximum - consumedPoints), resetS };
    if (consumedPoints > maximum) throw new RateLimitedError(budget);
    this.onTaken(name, workspace, points);
    return budget;
  }

  /** @returns what a workspace took in this minute; 0 where it has no such limit */
  async used(name: Budget['name'], workspace: string): Promise<number> {
    return (await this.counters[name].get(workspace))?.consumedPoints ?? 0;
  }

  private table() {
    const query = async ({ text, values = [] }: { text: string; values?: unknown[] }) => {
      const rows = (await this.queries.foreign(text, values)).map(withoutBigints);
      return { rows, rowCount: rows.length };
    };
    return { storeClient: { query }, storeType: 'client', tableName: 'rate_limit', tableCreated: true };
  }
}

/** The library computes with plain numbers. */
const withoutBigints = (row: object): object =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : (value as unknown)]),
  );

/**
 * Headers that tell a client what is left.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function budgetHeaders({ name, maximum, available, resetS }: Budget): Record<string, string> {
  return {
    'RateLimit-Policy': `"${name}";q=${maximum};w=${WINDOW_S}`,
    RateLimit: `"${name}";r=${available};t=${resetS}`,
  };
}
