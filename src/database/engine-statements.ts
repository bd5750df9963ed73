import type { PGliteInterface, Results, Transaction } from '@electric-sql/pglite';
import type { EngineThread } from './engine-thread.ts';
import type { RawResults, Served } from './engine-worker.ts';

type Parsers = Record<number, (text: string, oid?: number) => unknown>;
export type QueryOptions = Parameters<PGliteInterface['query']>[2];

/** Runs a transaction in a thread; nothing else may use the thread until it ends. */
export async function transactionOn<T>(
  thread: EngineThread,
  served: Served,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const state = { closed: false };
  const end = async (sql: string): Promise<void> => {
    if (state.closed) return;
    state.closed = true;
    await execOn(thread, served, sql);
  };
  const transaction = {
    query: <Row>(sql: string, params: unknown[] = [], options?: QueryOptions) =>
      queryOn<Row>(thread, served, sql, params, options),
    exec: (sql: string) => execOn(thread, served, sql),
    // Nobody waits for it; an engine that is gone has rolled back already.
    rollback: () => end('ROLLBACK').catch(() => undefined),
    get closed() {
      return state.closed;
    },
  } as Transaction;
  await execOn(thread, served, 'BEGIN');
  try {
    const done = await work(transaction);
    await end('COMMIT');
    return done;
  } catch (error) {
    await end('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** @param served whom the statement is for */
export async function queryOn<Row>(
  thread: EngineThread,
  served: Served,
  sql: string,
  params: readonly unknown[],
  options?: QueryOptions,
): Promise<Results<Row>> {
  const asArrays = options?.rowMode === 'array';
  const [results] = await thread.send({ kind: 'query', served, sql, params: [...params], asArrays });
  return parsed(thread, results!, options?.parsers);
}

/** @param served whom the script is for */
export async function execOn(thread: EngineThread, served: Served, sql: string): Promise<Results[]> {
  return (await thread.send({ kind: 'exec', served, sql })).map((results) => parsed(thread, results));
}

/** Turns the text of each value into what the caller wants of its type, in place. */
function parsed<Row>(thread: EngineThread, results: RawResults, wanted: Parsers = {}): Results<Row> {
  const { rows, fields } = results;
  const parsers = fields.map(({ dataTypeID }) => wanted[dataTypeID] ?? thread.parserOf(dataTypeID));
  fields.forEach(({ name, dataTypeID }, index) => {
    const parse = parsers[index];
    if (!parse) return;
    for (const row of rows as Record<string | number, unknown>[]) {
      const key = Array.isArray(row) ? index : name;
      const value = row[key];
      if (typeof value === 'string') row[key] = parse(value, dataTypeID);
    }
  });
  return results as Results<Row>;
}
