import type { Prisma } from './generated/client.ts';

/**
 * How a server plans a statement: for the values of each call (by default), or once for every value. `once` saves the time of
 * planning, and is for statements whose plan is the same whatever they ask for. Other drivers plan as they do.
 */
export type Planning = 'each' | 'once';

/** Statements as a driver runs them, with the errors that it throws. */
export interface Statements {
  /** @returns rows as the driver parses them */
  read(statement: Prisma.Sql, planning?: Planning): Promise<unknown[]>;
  /** @returns number of rows written */
  execute(statement: Prisma.Sql): Promise<number>;
  /** Runs a statement of a library, with its own `$1` placeholders. */
  foreign(sql: string, values: readonly unknown[]): Promise<object[]>;
}

/** Statements outside transactions, and transactions. */
export interface Driver extends Statements {
  /** @param work all or nothing of it is kept: nothing when it throws */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
}
