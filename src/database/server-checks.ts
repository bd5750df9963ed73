import { randomInt } from 'node:crypto';
import pg from 'pg';
import { AppError } from '../errors.ts';
import { plainText } from '../plain-text.ts';

/** `DATABASE_URL` cannot be used; the message shows no part of it but the host. */
export class DatabaseUrlError extends AppError {
  readonly code = 'DATABASE_URL_INVALID';
  constructor(reason: string, options?: ErrorOptions) {
    super(`DATABASE_URL ${reason}`, options);
  }
}

/** The database cannot hold every text. */
export class DatabaseEncodingError extends AppError {
  readonly code = 'DATABASE_ENCODING';
  constructor(encoding: string) {
    super(
      `The database has the encoding ${encoding}; TerraQL needs UTF8 to store every prompt and name. ` +
        "Create one with `CREATE DATABASE terraql ENCODING 'UTF8' TEMPLATE template0`.",
    );
  }
}

/** A pooler hands the connections of a session to others. */
export class DatabasePoolerError extends AppError {
  readonly code = 'DATABASE_POOLER';
  constructor() {
    super(
      'DATABASE_URL leads through a pooler in transaction or statement mode (such as PgBouncer with pool_mode=transaction); ' +
        'TerraQL needs sessions for LISTEN, advisory locks and prepared statements. Use pool_mode=session, or connect to ' +
        'PostgreSQL directly.',
    );
  }
}

/**
 * Checks a URL before anything is sent to the host that it seems to name.
 * @throws {DatabaseUrlError} without showing the URL, which may hold a password
 */
export function checkDatabaseUrl(url: string): void {
  const userInfo = /^postgres(?:ql)?:\/\/(.*)@/.exec(url)?.[1];
  if (userInfo !== undefined && /[@/?#\s]/.test(userInfo)) {
    throw new DatabaseUrlError(
      'has a user name or password with characters that must be percent-encoded there: @ is %40, / is %2F, ? is %3F, # is %23',
    );
  }
  if (!URL.canParse(url)) throw new DatabaseUrlError('is not a URL');
  if (new URL(url).searchParams.has('schema')) {
    throw new DatabaseUrlError(
      'has the parameter schema, which PostgreSQL does not know; set the schema with ' +
        '`ALTER ROLE … SET search_path = …`, or with the parameter options=-csearch_path%3D…',
    );
  }
}

/** Settings that sessions of a database need beyond their defaults. */
export interface SessionNeeds {
  /** With the schemas of the extensions. */
  readonly searchPath: string;
}

const EXTENSION_SCHEMAS = `
  SELECT DISTINCT n.nspname AS schema FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
  WHERE e.extname IN ('postgis', 'pg_trgm') AND n.nspname <> ALL (current_schemas(true)) ORDER BY 1`;

/**
 * Looks at a server before it is used.
 * @throws {DatabaseUrlError} when there is no server; {@link DatabaseEncodingError} {@link DatabasePoolerError}
 */
export async function checkServer(url: string): Promise<SessionNeeds> {
  checkDatabaseUrl(url);
  const clients = [client(url), client(url)] as const;
  try {
    for (const each of clients) await connected(each);
    const [one] = clients;
    const { rows } = await one.query<{ encoding: string; path: string }>(
      "SELECT current_setting('server_encoding') AS encoding, current_setting('search_path') AS path",
    );
    const { encoding, path } = rows[0]!;
    if (encoding !== 'UTF8') throw new DatabaseEncodingError(encoding);
    await requireSessions(...clients);
    const schemas = (await one.query<{ schema: string }>(EXTENSION_SCHEMAS)).rows.map(({ schema }) => schema);
    return { searchPath: [path, ...schemas.map((schema) => pg.escapeIdentifier(schema))].filter(Boolean).join(', ') };
  } finally {
    for (const each of clients) await each.end().catch(() => undefined);
  }
}

const CONNECT_MS = 10_000;

function client(url: string): pg.Client {
  const made = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS, query_timeout: CONNECT_MS });
  made.on('error', () => undefined);
  return made;
}

async function connected(made: pg.Client): Promise<void> {
  try {
    await made.connect();
  } catch (cause) {
    const reason = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
    const said = reason instanceof Error ? plainText(reason.message, 300) : String(reason);
    throw new DatabaseUrlError(`does not lead to a database: ${said}`, { cause });
  }
}

const TRIES = 3;

/**
 * Two connections are two sessions unless a pooler shares those of the server between them: then one of them can take a lock
 * that the other holds.
 */
async function requireSessions(one: pg.Client, other: pg.Client): Promise<void> {
  for (let tried = 0; tried < TRIES; tried++) {
    const lock = [randomInt(2 ** 31 - 1), randomInt(2 ** 31 - 1)];
    await one.query('SELECT pg_advisory_lock($1::int, $2::int)', lock);
    const { rows } = await other.query<{ taken: boolean }>(
      'SELECT pg_try_advisory_lock($1::int, $2::int) AS taken',
      lock,
    );
    await one.query('SELECT pg_advisory_unlock($1::int, $2::int)', lock);
    if (rows[0]?.taken === true) throw new DatabasePoolerError();
  }
}
