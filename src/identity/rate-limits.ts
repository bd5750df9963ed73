import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { AppError } from '../errors.ts';

/** What is left of what a workspace may use up in a minute. */
export interface Budget {
  readonly name: 'requests' | 'cost';
  readonly maximum: number;
  /** Not below 0. */
  readonly available: number;
  /** Seconds after which all of it is available again. */
  readonly resetS: number;
}

/** A workspace used up what it may use up in a minute. */
export class RateLimitedError extends AppError {
  readonly code = 'RATE_LIMITED';
  readonly retryAfterS: number;
  constructor(readonly budget: Budget) {
    const { name, maximum, resetS } = budget;
    super(`The workspace has used its ${name} of ${maximum} per minute; retry in ${resetS} s.`);
    this.retryAfterS = resetS;
  }
}

/** Limits of a workspace for each minute; null: unlimited. */
export interface RateQuota {
  readonly requests: number | null;
  readonly cost: number | null;
}

const WINDOW_S = 60;
const QUOTA_KEPT_MS = 15_000;
const MOST_KEPT = 10_000;
/** The library compares with one limit for all keys; ours differ by workspace and are compared here. */
const UNLIMITED_POINTS = 2 ** 31 - 1;

const QuotaRow = z.object({ requests: z.number().nullable(), cost: z.number().nullable() });

type Counter = Pick<RateLimiterMemory, 'penalty'>;

/** Counts requests and cost of each workspace by the minute. */
export class RateLimits {
  private readonly counters: Readonly<Record<Budget['name'], Counter>>;
  private readonly quotas = new LRUCache<string, RateQuota>({ max: MOST_KEPT, ttl: QUOTA_KEPT_MS });

  /**
   * @param defaults of workspaces without a row in the table `quota`
   * @param shared whether several processes may serve, so that the counters are kept in the database
   * @param onTaken told of what was taken, whether there is a limit or not
   */
  constructor(
    private readonly queries: Pick<Queries, 'query' | 'foreign'>,
    private readonly defaults: RateQuota,
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
    const maximum = (await this.quotaOf(workspace))[name];
    if (maximum === null) {
      this.onTaken(name, workspace, points);
      return null;
    }
    const { consumedPoints, msBeforeNext } = await this.counters[name].penalty(workspace, Math.ceil(points));
    const resetS = Math.max(1, Math.ceil(msBeforeNext / 1000));
    const budget = { name, maximum, available: Math.max(0, maximum - consumedPoints), resetS };
    if (consumedPoints > maximum) throw new RateLimitedError(budget);
    this.onTaken(name, workspace, points);
    return budget;
  }

  private async quotaOf(workspace: string): Promise<RateQuota> {
    const known = this.quotas.get(workspace);
    if (known) return known;
    const [row] = await this.queries.query(
      QuotaRow,
      Prisma.sql`
        SELECT requests_per_minute::float8 AS requests, cost_per_minute::float8 AS cost
        FROM quota WHERE workspace_id = ${workspace}::text`,
    );
    const quota = { requests: row?.requests ?? this.defaults.requests, cost: row?.cost ?? this.defaults.cost };
    this.quotas.set(workspace, quota);
    return quota;
  }

  private table() {
    const query = async ({ text, values = [] }: { text: string; values?: unknown[] }) => ({
      rows: (await this.queries.foreign(text, values)).map(withoutBigints),
    });
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
