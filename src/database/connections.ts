import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { translateOutage } from './database-errors.ts';
import { StatementLostError } from './embedded-engine.ts';
import type { Driver, Planning, Statements } from './driver.ts';
import { Prisma } from './generated/client.ts';
import type { Scope } from './scope.ts';
import type { Session } from './session.ts';

/** Typed access to the tables, inside or outside a transaction. */
export interface Queries {
  /** Owner of what is stored. */
  readonly workspace: string;
  /** The rows that statements may read and change. */
  readonly scope: Scope;
  /**
   * Runs a statement and parses its rows.
   * @param row schema of a row; the statement must cast counts and other 64-bit integers
   * @throws {z.ZodError} when a row does not fit
   * @throws {StatementTimeoutError} outside a transaction, on a server; {@link StatementLostError} on the embedded engine;
   *   {@link OutageError} when the same statement may succeed later
   */
  query<Row>(row: z.ZodType<Row>, statement: Prisma.Sql, planning?: Planning): Promise<Row[]>;
  /** @returns number of rows written */
  execute(statement: Prisma.Sql): Promise<number>;
  /** Runs a statement of a library, with its own `$1` placeholders. */
  foreign(sql: string, values: readonly unknown[]): Promise<object[]>;
}

/** Statements and transactions over some connections of a database. */
export interface Connections extends Queries {
  readonly session: Session;
  /**
   * Runs work in one transaction, rolled back when it throws. Its statements have no timeout.
   * @param signal aborted to stop it, also in the middle of a statement; its reason is thrown then
   */
  transaction<T>(work: (queries: Queries) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** A statement exceeded its timeout and was cancelled. */
export class StatementTimeoutError extends AppError {
  readonly code = 'STATEMENT_TIMEOUT';
  constructor(
    readonly timeoutS: number,
    cause: unknown,
  ) {
    super(
      `A database statement of this request exceeded ${timeoutS} s and was cancelled; narrow the filter or request less at a time.`,
      { cause },
    );
  }
}

/** What an engine can do beside answering. */
export interface EngineOptions {
  /** Of statements outside transactions. */
  readonly statementTimeoutS?: number;
  /** On a server: stops what one connection is doing. @param backend its process number */
  readonly cancel?: (backend: number) => Promise<void>;
  /** Receives the time of each statement, waiting for a connection included. */
  readonly onStatement?: ((durationMs: number) => void) | undefined;
  /** On the embedded engine: stops whatever it is doing. */
  readonly stop?: () => Promise<void>;
}

/** For whom statements are made. */
export interface Ownership {
  readonly workspace: string;
  readonly scope: Scope;
}

/** Statements and transactions of a driver. */
export function connectionsOn(driver: Driver, session: Session, engine: EngineOptions, owner: Ownership): Connections {
  return {
    ...queriesOn(driver, engine, owner),
    session,
    transaction: (work, signal) =>
      driver
        .transaction(async (statements) => {
          signal?.throwIfAborted();
          const queries = queriesOn(statements, { onStatement: engine.onStatement }, owner);
          return signal ? stoppable(queries, engine, signal, work) : work(queries);
        })
        .catch((error: unknown) => {
          throw signal?.aborted ? signal.reason : translateOutage(error);
        }),
  };
}

/** The embedded engine is left this long to end a statement by itself, milliseconds. */
const STOP_GRACE_MS = 1500;

const BackendRow = z.object({ backend: z.number() });

/** Runs work so that aborting the signal stops the statement that it waits for. */
async function stoppable<T>(
  queries: Queries,
  { cancel, stop }: EngineOptions,
  signal: AbortSignal,
  work: (queries: Queries) => Promise<T>,
): Promise<T> {
  const [row] = cancel ? await queries.query(BackendRow, Prisma.sql`SELECT pg_backend_pid() AS backend`) : [];
  const done = new AbortController();
  const onAbort = (): void => {
    // A restart of the engine takes as long as many a statement.
    const stopped = row
      ? cancel?.(row.backend)
      : sleep(STOP_GRACE_MS, undefined, { signal: done.signal }).then(() => stop?.());
    // The transaction has the outcome.
    stopped?.catch(() => undefined);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work({
      ...queries,
      query: (...asked) => (signal.throwIfAborted(), queries.query(...asked)),
      execute: (...asked) => (signal.throwIfAborted(), queries.execute(...asked)),
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    done.abort();
  }
}

function queriesOn(
  statements: Statements,
  { statementTimeoutS, onStatement }: EngineOptions,
  { workspace, scope }: Ownership,
): Queries {
  const timed = <T>(answer: Promise<T>): Promise<T> => {
    const started = performance.now();
    const answered = answer.catch((error: unknown) => {
      if (statementTimeoutS !== undefined && isCancelled(error))
        throw new StatementTimeoutError(statementTimeoutS, error);
      if (Lost.safeParse(error).success) throw new StatementLostError({ cause: error });
      throw translateOutage(error);
    });
    return onStatement ? answered.finally(() => onStatement(performance.now() - started)) : answered;
  };
  return {
    workspace,
    scope,
    query: async (row, statement, planning) => rowsOf(row).parse(await timed(statements.read(statement, planning))),
    execute: (statement) => timed(statements.execute(statement)),
    foreign: (sql, values) => timed(statements.foreign(sql, values)),
  };
}

const parsers = new WeakMap<z.ZodType, unknown>();

/** Returns the cached array parser of a row schema: making one takes longer than parsing a few rows. */
function rowsOf<Row>(row: z.ZodType<Row>): z.ZodType<Row[]> {
  const known = parsers.get(row) as z.ZodType<Row[]> | undefined;
  if (known) return known;
  const made = z.array(row);
  parsers.set(row, made);
  return made;
}

/** SQLSTATE 57014, query_canceled, as the driver reports it and as Prisma's driver adapters wrap it. */
const Cancelled = z.union([
  z.object({ code: z.literal('57014') }),
  z.object({
    meta: z.object({ driverAdapterError: z.object({ cause: z.object({ originalCode: z.literal('57014') }) }) }),
  }),
]);
/** GEOS, stopped in the middle of a geometry, reports the cancellation as an error of its own. */
const Interrupted = z.object({ code: z.literal('XX000'), message: z.string().regex(/InterruptedException/) });
const isCancelled = (error: unknown): boolean =>
  Cancelled.safeParse(error).success || Interrupted.safeParse(error).success;

/** Prisma wraps driver errors and keeps their code. */
const Lost = z.object({ code: z.literal('STATEMENT_LOST') });
