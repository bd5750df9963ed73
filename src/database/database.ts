import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { translateOutage } from './database-errors.ts';
import { openEmbeddedEngine, refuseLostStatements, StatementLostError } from './embedded-engine.ts';
import { Prisma, PrismaClient } from './generated/client.ts';
import { migrate, type Migration, MIGRATIONS_DIR, type MigrationSession, readMigrations } from './migrate.ts';
import { type ReadRows, serverReader } from './server-reader.ts';
import { embeddedSession, ServerSession, type Session } from './session.ts';

export { Prisma } from './generated/client.ts';

/** Typed access to the tables, inside or outside a transaction. */
export interface Queries {
  /** The generated client: plain reads and writes of single tables. */
  readonly prisma: Prisma.TransactionClient;
  /**
   * Runs a statement and parses its rows.
   * @param row schema of a row; the statement must cast counts and other 64-bit integers
   * @throws {z.ZodError} when a row does not fit
   * @throws {StatementTimeoutError} outside a transaction, on a server; {@link StatementLostError} on the embedded engine;
   *   {@link DatabaseOutageError} when the same statement may succeed later
   */
  query<Row>(row: z.ZodType<Row>, statement: Prisma.Sql): Promise<Row[]>;
  /** @returns number of rows written */
  execute(statement: Prisma.Sql): Promise<number>;
  /** Runs a statement of a library, with its own `$1` placeholders. */
  foreign(sql: string, values: readonly unknown[]): Promise<object[]>;
}

/** Versions and capabilities of a database engine. */
export interface Capabilities {
  /** `15.13` */
  readonly postgresql: string;
  /** `3.3.2` */
  readonly postgis: string;
  /** Whether PostGIS was built with protobuf-c, so that `ST_AsMVT` works. */
  readonly vectorTiles: boolean;
}

/** An open, migrated database. */
export interface Database extends Queries {
  readonly capabilities: Capabilities;
  readonly session: Session;
  /** Runs work in one transaction, rolled back when it throws. Its statements have no timeout. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** PostgreSQL URL; undefined: the embedded engine. */
  readonly databaseUrl?: string | undefined;
  /** Data folder; the embedded engine uses its subfolder `pglite`. */
  readonly dataDir: string;
  /** Timeout of a statement outside a transaction, seconds; undefined: none. */
  readonly statementTimeoutS?: number;
}

/** A statement exceeded its timeout and was cancelled. */
export class StatementTimeoutError extends AppError {
  readonly code = 'STATEMENT_TIMEOUT';
  constructor(
    readonly timeoutS: number,
    cause: unknown,
  ) {
    super(
      `a database statement of the request exceeded ${timeoutS} s and was cancelled; narrow the filter or request less at once`,
      { cause },
    );
  }
}

/** The server is older than the oldest supported version. */
export class DatabaseTooOldError extends AppError {
  readonly code = 'DATABASE_TOO_OLD';
  constructor(product: string, found: string, needed: string) {
    super(`${product} ${found} is too old; TerraQL needs ${needed} or newer`);
  }
}

/**
 * Opens PostgreSQL, or the embedded engine without a URL, and applies missing migrations.
 * @throws {DatabaseTooOldError} {@link EmbeddedDatabaseInUseError}, errors of {@link migrate} and of the connection
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, dataDir, statementTimeoutS } = options;
  const migrations = await readMigrations(MIGRATIONS_DIR);
  if (databaseUrl !== undefined) return openPostgres(databaseUrl, migrations, statementTimeoutS);
  const engine = await openEmbeddedEngine(path.join(dataDir, 'pglite'));
  return databaseOnPGlite(engine.pglite, migrations, () => engine.close());
}

/**
 * Makes a database from a running embedded engine and owns it.
 * @throws errors of {@link migrate}, after closing the engine
 */
export async function databaseOnPGlite(
  pglite: PGlite,
  migrations: readonly Migration[],
  close: () => Promise<void>,
): Promise<Database> {
  try {
    refuseLostStatements(pglite);
    await migrate(pgliteSession(pglite), migrations);
    return await databaseOn(new PrismaPGlite(pglite), embeddedSession(pglite), close, {});
  } catch (error) {
    await close();
    throw error;
  }
}

async function openPostgres(
  url: string,
  migrations: readonly Migration[],
  statementTimeoutS: number | undefined,
): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, though its types do not say so
    onConnect: async (client) => void (await client.query(sessionSql(statementTimeoutS))),
  });
  // The pool has already dropped the broken idle connection; the next query opens a new one.
  pool.on('error', () => undefined);
  try {
    const client = await pool.connect();
    try {
      await client.query('SET statement_timeout = 0');
      await migrate(postgresSession(client), migrations);
    } finally {
      // Closed instead of reused: it has no statement timeout any more.
      client.release(true);
    }
    const server = { readRows: serverReader(pool), ...(statementTimeoutS === undefined ? {} : { statementTimeoutS }) };
    return await databaseOn(new PrismaPg(pool), new ServerSession(url), () => pool.end(), server);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/**
 * Session settings. Prisma's driver drops time offsets, so the session time zone is UTC. PostGIS declares its functions as
 * expensive, which would make PostgreSQL compile each statement (0.1 s) and start parallel workers for small queries; with
 * these costs it does so from some hundred thousand features on. Prepared statements are planned for their values.
 */
function sessionSql(statementTimeoutS: number | undefined): string {
  return `SET TIME ZONE 'UTC'; SET jit = off; SET parallel_setup_cost = 1000000; SET plan_cache_mode = force_custom_plan;
    SET statement_timeout = ${(statementTimeoutS ?? 0) * 1000}`;
}

function pgliteSession(pglite: PGlite): MigrationSession {
  return {
    script: async (sql) => void (await pglite.exec(sql)),
    query: async (sql, parameters) => (await pglite.query(sql, [...parameters])).rows,
  };
}

function postgresSession(client: pg.PoolClient): MigrationSession {
  return {
    script: async (sql) => void (await client.query(sql)),
    query: async (sql, parameters) => (await client.query<object>(sql, [...parameters])).rows,
  };
}

/** Longest transaction, and longest wait for its start: storing a large result is one transaction. */
const TRANSACTION_TIMEOUT_MS = 15 * 60_000;

/** Differences of a server outside transactions. */
interface ServerOptions {
  readonly statementTimeoutS?: number;
  /** Instead of Prisma. */
  readonly readRows?: ReadRows;
}

async function databaseOn(
  adapter: PrismaPg | PrismaPGlite,
  session: Session,
  closeEngine: () => Promise<void>,
  server: ServerOptions,
): Promise<Database> {
  const prisma = new PrismaClient({ adapter });
  const queries = queriesOn(prisma, server);
  return {
    ...queries,
    capabilities: await readCapabilities(queries),
    session,
    transaction: (work) =>
      prisma
        .$transaction(
          async (client) => {
            if (server.statementTimeoutS !== undefined) await client.$executeRaw`SET LOCAL statement_timeout = 0`;
            return work(queriesOn(client, {}));
          },
          { timeout: TRANSACTION_TIMEOUT_MS, maxWait: TRANSACTION_TIMEOUT_MS },
        )
        .catch((error: unknown) => {
          throw translateOutage(error);
        }),
    async close() {
      await session.close();
      await prisma.$disconnect();
      await closeEngine();
    },
  };
}

function queriesOn(prisma: Prisma.TransactionClient, { statementTimeoutS, readRows }: ServerOptions): Queries {
  const read: ReadRows = readRows ?? ((statement) => prisma.$queryRaw<unknown[]>(statement));
  const timed = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: unknown) => {
      if (statementTimeoutS !== undefined && isCancelled(error))
        throw new StatementTimeoutError(statementTimeoutS, error);
      if (Lost.safeParse(error).success) throw new StatementLostError({ cause: error });
      throw translateOutage(error);
    });
  return {
    prisma,
    query: async (row, statement) => rowsOf(row).parse(await timed(read(statement))),
    execute: (statement) => timed(prisma.$executeRaw(statement)),
    foreign: (sql, values) => timed(prisma.$queryRawUnsafe<object[]>(sql, ...values)),
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
const isCancelled = (error: unknown): boolean => Cancelled.safeParse(error).success;

/** Prisma wraps driver errors and keeps their code. */
const Lost = z.object({ code: z.literal('STATEMENT_LOST') });

const CapabilitiesRow = z.object({ postgresql: z.string(), postgis: z.string(), vectorTiles: z.boolean() });

async function readCapabilities(queries: Queries): Promise<Capabilities> {
  const [found] = await queries.query(
    CapabilitiesRow,
    Prisma.sql`
      SELECT split_part(current_setting('server_version'), ' ', 1) AS postgresql, postgis_lib_version() AS postgis,
             postgis_libprotobuf_version() IS NOT NULL AS "vectorTiles"`,
  );
  if (!found) throw new Error('the database returned no version');
  requireVersion('PostgreSQL', found.postgresql, [15, 0]);
  requireVersion('PostGIS', found.postgis, [3, 3]);
  return found;
}

function requireVersion(product: string, found: string, needed: readonly [number, number]): void {
  const [major = 0, minor = 0] = found.split('.').map((part) => Number.parseInt(part, 10));
  if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
    throw new DatabaseTooOldError(product, found, needed.join('.'));
  }
}
