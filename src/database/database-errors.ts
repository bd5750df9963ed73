import { z } from 'zod';
import { AppError, OutageError } from '../errors.ts';

/** The database cannot be reached, or ended the connection. */
export class DatabaseUnavailableError extends OutageError {
  readonly code = 'DATABASE_UNAVAILABLE';
  constructor(reason: string, options?: ErrorOptions) {
    super(`The database is unavailable: ${reason}; retry in a few seconds.`, options);
  }
}

/** All connections to the database are in use, and none became free in time. */
export class DatabaseBusyError extends OutageError {
  readonly code = 'DATABASE_BUSY';
  constructor(options?: ErrorOptions) {
    super('All database connections are in use; retry in a few seconds.', options);
  }
}

/** The statement stood in the way of another; nothing of it was kept. */
export class DatabaseConflictError extends OutageError {
  readonly code = 'DATABASE_CONFLICT';
  constructor(options?: ErrorOptions) {
    super('The database stopped a statement that conflicted with another; retry in a few seconds.', options);
  }
}

/** The disk of the database is full. */
export class DatabaseFullError extends OutageError {
  readonly code = 'DATABASE_FULL';
  override readonly retryAfterS = 60;
  constructor(options?: ErrorOptions) {
    super("The database's disk is full; nothing can be stored until an operator frees space.", options);
  }
}

/** An arithmetic expression of a request has no value for some row. */
export class ValueOutOfRangeError extends AppError {
  readonly code = 'VALUE_OUT_OF_RANGE';
  constructor(reason: string, options?: ErrorOptions) {
    super(`An arithmetic expression cannot be evaluated for some of the rows: ${reason}.`, options);
  }
}

/** An error as drivers throw it, and as Prisma's driver adapters wrap it. */
const DriverError = z.object({
  code: z.unknown().optional(),
  message: z.unknown().optional(),
  cause: z.unknown().optional(),
  kind: z.unknown().optional(),
  originalCode: z.unknown().optional(),
  originalMessage: z.unknown().optional(),
  meta: z.object({ driverAdapterError: z.unknown().optional() }).optional().catch(undefined),
});

/** How deep drivers and adapters nest their errors. */
const MAX_NESTING = 6;

/** Codes, kinds and messages of an error and of those that it wraps, outermost first. */
function facts(error: unknown, depth = 0): string[] {
  const parsed = DriverError.safeParse(error);
  if (!parsed.success || depth > MAX_NESTING) return [];
  const { code, kind, originalCode, message, originalMessage, cause, meta } = parsed.data;
  const own = [code, kind, originalCode, message, originalMessage].filter((fact) => typeof fact === 'string');
  return [...own, ...facts(cause, depth + 1), ...facts(meta?.driverAdapterError, depth + 1)];
}

/**
 * SQLSTATE class 08 (connection exception) and the shutdown codes of class 57; codes of the operating system and of Prisma
 * for a connection that failed; and what the driver says without a code.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE =
  /^(08[0-9A-Z]{3}|57P0[1-5]|E(CONN(REFUSED|RESET|ABORTED)|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)|P10(01|02|08|11|17)|DatabaseNotReachable|ConnectionClosed|SocketTimeout|DATABASE_UNAVAILABLE)$|^Connection terminated|^Query read timeout|not queryable|Client was closed|^Server has closed the connection|Cannot use a pool after calling end/;
/** Too many connections on the server, or none free in the pool in time. */
const BUSY =
  /^(53300|TooManyConnections|P2024|DATABASE_BUSY)$|timeout exceeded when trying to connect|Unable to start a transaction in the given time/;
const FULL = /^(53100)$|No space left on device/;
/** Transactions that stood in each other's way. */
const CONFLICT = /^(40001|40P01|55P03|TransactionWriteConflict|P2034)$/;
/** What PostgreSQL says of floating-point arithmetic; whole numbers of its own columns say it otherwise. */
const OUT_OF_RANGE = /value out of range: (over|under)flow|a negative number raised to|zero raised to a negative/;

/**
 * Translates an error of a driver into an {@link OutageError} where the same statement may succeed later.
 * @returns a {@link ValueOutOfRangeError} for arithmetic without a result, and else the error itself: what the database
 *   refuses for its data is never worth a repetition
 */
export function translateOutage(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const found = facts(error);
  const some = (pattern: RegExp): boolean => found.some((fact) => pattern.test(fact));
  if (some(FULL)) return new DatabaseFullError({ cause: error });
  if (some(BUSY)) return new DatabaseBusyError({ cause: error });
  if (some(CONFLICT)) return new DatabaseConflictError({ cause: error });
  const range = found.map((fact) => OUT_OF_RANGE.exec(fact)?.[0]).find((fact) => fact !== undefined);
  if (range !== undefined) return new ValueOutOfRangeError(range, { cause: error });
  const reason = found.find((fact) => UNAVAILABLE.test(fact));
  return reason === undefined ? error : new DatabaseUnavailableError(reason, { cause: error });
}
