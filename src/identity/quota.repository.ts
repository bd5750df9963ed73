import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { usedStock } from '../database/sql/stock.ts';
import type { Stock } from '../quota.ts';
import { QUOTA_NAMES, type QuotaLookup, type Quotas, type QuotaStore, type SetQuotas } from './quota.ts';

const amount = z.number().nullable();
const QuotaRow = z.object({
  REQUESTS_PER_MINUTE: amount,
  COST_PER_MINUTE: amount,
  WAITING_WINDOWS: amount,
  BYTES_STORED: amount,
  FEATURES: amount,
}) satisfies z.ZodType<SetQuotas>;
const NONE_SET: SetQuotas = {
  REQUESTS_PER_MINUTE: null,
  COST_PER_MINUTE: null,
  WAITING_WINDOWS: null,
  BYTES_STORED: null,
  FEATURES: null,
};

const columnsOf = (values: (column: string) => string): Prisma.Sql =>
  Prisma.raw(QUOTA_NAMES.map((name) => values(name.toLowerCase())).join(', '));

async function storedQuotas(queries: Pick<Queries, 'query'>, workspace: string): Promise<SetQuotas> {
  const [row] = await queries.query(
    QuotaRow,
    Prisma.sql`
      SELECT ${columnsOf((column) => `q.${column}::float8 AS "${column.toUpperCase()}"`)}
      FROM quota AS q WHERE q.workspace_id = ${workspace}::text`,
  );
  return row ?? NONE_SET;
}

/** Quotas of one workspace, in the table `quota`, and what it has. */
export class QuotaRepository implements QuotaStore {
  constructor(private readonly queries: Pick<Queries, 'query' | 'execute' | 'workspace' | 'scope'>) {}

  stored(): Promise<SetQuotas> {
    return storedQuotas(this.queries, this.queries.workspace);
  }

  async set(quotas: SetQuotas): Promise<void> {
    const values = QUOTA_NAMES.map((name) => Prisma.sql`${quotas[name]}::float8::bigint`);
    await this.queries.execute(Prisma.sql`
      INSERT INTO quota (workspace_id, ${columnsOf((column) => column)})
      VALUES (${this.queries.workspace}::text, ${Prisma.join(values)})
      ON CONFLICT (workspace_id) DO UPDATE SET ${columnsOf((column) => `${column} = excluded.${column}`)}`);
  }

  used(stock: Stock): Promise<number> {
    return usedStock(this.queries, stock);
  }
}

const KEPT_MS = 15_000;
const MOST_KEPT = 10_000;

/** Quotas of all workspaces, kept for some seconds. */
export class KeptQuotas implements QuotaLookup {
  private readonly kept = new LRUCache<string, Quotas>({ max: MOST_KEPT, ttl: KEPT_MS });

  /** @param defaults of what the table `quota` does not say */
  constructor(
    private readonly queries: Pick<Queries, 'query'>,
    readonly defaults: Quotas,
  ) {}

  async of(workspace: string): Promise<Quotas> {
    const known = this.kept.get(workspace);
    if (known) return known;
    const stored = await storedQuotas(this.queries, workspace);
    const quotas = Object.fromEntries(QUOTA_NAMES.map((name) => [name, stored[name] ?? this.defaults[name]])) as Quotas;
    this.kept.set(workspace, quotas);
    return quotas;
  }

  forget(workspace: string): void {
    this.kept.delete(workspace);
  }
}
