import { mkdir, realpath } from 'node:fs/promises';
import type { Results, Transaction } from '@electric-sql/pglite';
import { AppError } from '../errors.ts';
import { ownDirectory } from './directory-ownership.ts';
import { postgisBundle } from './embedded-extensions.ts';
import { type EmbeddedClient, EngineClient, type EngineLimits } from './engine-client.ts';

/** PostgreSQL with PostGIS, embedded in this process. */
export interface EmbeddedEngine {
  readonly client: EngineClient;
  close(): Promise<void>;
}

/**
 * Opens the database of a folder and creates it when it is missing (which takes some seconds).
 * @param directory absolute or relative to the working directory
 * @throws {EmbeddedDatabaseInUseError} when another process has it open
 */
export async function openEmbeddedEngine(directory: string, limits: EngineLimits): Promise<EmbeddedEngine> {
  await mkdir(directory, { recursive: true });
  const owned = await realpath(directory);
  const release = await ownDirectory(owned);
  try {
    const bundle = await postgisBundle(`${owned}.bundle`);
    const client = await EngineClient.open({ dataDir: owned, bundle }, limits);
    return {
      client,
      async close() {
        await client.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** The embedded engine ended a statement without result or error. */
export class StatementLostError extends AppError {
  readonly code = 'STATEMENT_LOST';
  constructor(options?: ErrorOptions) {
    super(
      'The embedded database stopped a statement of this request without a result, as happens when a geometry overlay fails at full precision; use a simpler geometry, or set DATABASE_URL to a PostgreSQL server.',
      options,
    );
  }
}

/**
 * Turns statements that did not complete into errors. GEOS retries an overlay that failed with an exception; in the
 * embedded engine the exception ends the statement instead: without an error, rows or columns, and without the command
 * tag that closes each statement in the protocol.
 * @throws {StatementLostError} from `query` then, in a transaction too
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html (CommandComplete)
 */
export function refuseLostStatements(client: Pick<EmbeddedClient, 'query' | 'transaction'>): void {
  const query = client.query.bind(client);
  const transaction = client.transaction.bind(client);
  client.query = async (...asked) => completed(await query(...asked));
  client.transaction = (work) => transaction((inner) => work(completing(inner)));
}

function completing(inner: Transaction): Transaction {
  return {
    ...inner,
    get closed() {
      return inner.closed;
    },
    query: async (...asked) => completed(await inner.query(...asked)),
  };
}

function completed<Result extends Results<never> | Results<unknown>>(result: Result): Result {
  if (!('command' in result)) throw new StatementLostError();
  return result;
}
