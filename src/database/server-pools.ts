import pg from 'pg';
import { cutSilentConnections } from './silent-connections.ts';

/** Longest that a request waits for a connection, milliseconds. */
const REQUEST_WAIT_MS = 10_000;
/** Longest that a run waits for one; it has no client that waits for it. */
const RUN_WAIT_MS = 60_000;
/** A statement of a run counts as hung after this time: storing a large answer is one of minutes. */
const RUN_HUNG_MS = 15 * 60_000;
/** Longest that the check of readiness may take, for the connection and again for the answer. */
const PING_MS = 2000;
/** Given to the server beyond its own timeout before a connection counts as hung. */
const GRACE_S = 5;
const CONNECTIONS = 10;

/** Connections to one server: whatever requests are doing, runs go on and readiness is answered. */
export interface ServerPools {
  readonly requests: pg.Pool;
  readonly runs: pg.Pool;
  /** @throws what the driver throws when the server does not answer in time */
  ping(): Promise<void>;
  /** Stops what a connection of any pool is doing. @param backend its process number on the server */
  cancel(backend: number): Promise<void>;
  end(): Promise<void>;
}

/**
 * @param sessionSql settings of a connection
 * @param statementTimeoutS of requests; undefined: none but that of runs
 * @param requestRole that requests run as; null: as the user of the URL
 * @param runHungMs after which a server that does not answer a statement of a run is given up
 */
export function openPools(
  url: string,
  sessionSql: string,
  statementTimeoutS: number | undefined,
  requestRole: string | null,
  runHungMs = RUN_HUNG_MS,
): ServerPools {
  const open = (options: pg.PoolConfig, timeoutS: number | undefined, role: string | null = null): pg.Pool => {
    const setRole = role === null ? '' : `; SET ROLE ${role}`;
    const pool = new pg.Pool({
      connectionString: url,
      keepAlive: true,
      ...options,
      // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, though its types do not say so
      onConnect: async (client) =>
        void (await client.query(`${sessionSql}; SET statement_timeout = ${(timeoutS ?? 0) * 1000}${setRole}`)),
    });
    // The pool has already dropped the broken idle connection; the next query opens a new one.
    pool.on('error', () => undefined);
    return pool;
  };
  const requests = open({ max: CONNECTIONS, connectionTimeoutMillis: REQUEST_WAIT_MS }, statementTimeoutS, requestRole);
  const runs = open({ max: CONNECTIONS, connectionTimeoutMillis: RUN_WAIT_MS }, undefined);
  const requestHungMs = statementTimeoutS === undefined ? runHungMs : (statementTimeoutS + GRACE_S) * 1000;
  const watches = [cutSilentConnections(requests, requestHungMs), cutSilentConnections(runs, runHungMs)];
  const own = open({ max: 1, connectionTimeoutMillis: PING_MS, query_timeout: PING_MS }, undefined);
  return {
    requests,
    runs,
    ping: async () => void (await own.query('SELECT 1')),
    cancel: async (backend) => void (await own.query('SELECT pg_cancel_backend($1::int)', [backend])),
    end: async () => {
      for (const stopWatching of watches) stopWatching();
      await Promise.all([requests.end(), runs.end(), own.end()]);
    },
  };
}
