import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';

/** A node of PostgreSQL's plan. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Order By'?: string;
  readonly Plans?: readonly PlanNode[];
}
const PlanRow = z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: z.custom<PlanNode>() })]) });

/** @returns the nodes of the plan of a statement, which is not carried out */
export async function planOf(database: Database, statement: Prisma.Sql): Promise<PlanNode[]> {
  const rows = await database.query(PlanRow, Prisma.sql`EXPLAIN (FORMAT JSON) ${statement}`);
  const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
  return rows.flatMap(({ 'QUERY PLAN': [{ Plan }] }) => flat(Plan));
}

/** @returns the nodes of the plans of all queries of a piece of work, which are answered without rows */
export async function plansDuring(
  database: Database,
  work: (database: Database) => Promise<unknown>,
): Promise<PlanNode[]> {
  const plans: PlanNode[] = [];
  await work({
    ...database,
    async query(_row, statement) {
      plans.push(...(await planOf(database, statement)));
      return [];
    },
  });
  return plans;
}

export const scansFeature = (node: PlanNode): boolean =>
  node['Node Type'] === 'Seq Scan' && node['Relation Name'] === 'feature';
export const indexesOf = (plan: readonly PlanNode[]): string[] => plan.flatMap((node) => node['Index Name'] ?? []);
