import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { z } from 'zod';
import { AppError } from '../errors.ts';
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
   * @param row what every row must be; counts and other 64-bit integers are to be cast in the statement
   * @throws {z.ZodError} when a row is something else
   * @throws {StatementTimeoutError} outside a transaction, on a server; {@link StatementLostError} on the embedded engine,
   * which has no timeout: what is asked after a long statement waits for it
   */
  query<Row>(row: z.ZodType<Row>, statement: Prisma.Sql): Promise<Row[]>;
  /** @returns how many rows were written */
  execute(statement: Prisma.Sql): Promise<number>;
  /** Runs a statement that a library brings along, with its own `$1` placeholders. */
  foreign(sql: string, values: readonly unknown[]): Promise<object[]>;
}

/** What the engine behind a database is and can do. */
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
  /** Runs work in one transaction, rolled back when it throws; its statements may take as long as they need. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** PostgreSQL URL; undefined: the embedded engine. */
  readonly databaseUrl?: string | undefined;
  /** Home of the embedded engine, in its folder `pglite`. */
  readonly dataDir: string;
  /** Longest that a statement outside a transaction may take on a server, seconds; undefined: as long as it takes. */
  readonly statementTimeoutS?: number;
}

/** A statement took longer than the server lets it, and was stopped there. */
export class StatementTimeoutError extends AppError {
  readonly code = 'STATEMENT_TIMEOUT';
  constructor(
    readonly timeoutS: number,
    cause: unknown,
  ) {
    super(
      `the database needed more than ${timeoutS} s for a part of the request and stopped; ask with a narrower filter or for less at once`,
      { cause },
    );
  }
}

/** The server is older than what TerraQL is tested with. */
export class DatabaseTooOldError extends AppError {
  readonly code = 'DATABASE_TOO_OLD';
  constructor(product: string, found: string, needed: string) {
    super(`${product} ${found} is too old; TerraQL needs ${needed} or newer`);
  }
}

/**
 * Opens PostgreSQL, or the embedded engine without a URL, and applies missing migrations.
 * @throws {DatabaseTooOldError} {@link EmbeddedDatabaseInUseError}, the errors of {@link migrate}, and what the driver
 * says when it cannot connect
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, dataDir, statementTimeoutS } = options;
  const migrations = await readMigrations(MIGRATIONS_DIR);
  if (databaseUrl !== undefined) return openPostgres(databaseUrl, migrations, statementTimeoutS);
  const engine = await openEmbeddedEngine(path.join(dataDir, 'pglite'));
  return databaseOnPGlite(engine.pglite, migrations, () => engine.close());
}

/**
 * Makes a database of a running embedded engine, which is closed with it.
 * @throws what {@link migrate} throws; the engine is closed then
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
  // An idle connection that breaks has left the pool when this is called; whoever queries next gets a new one.
  pool.on('error', () => undefined);
  try {
    const client = await pool.connect();
    try {
      await client.query('SET statement_timeout = 0');
      await migrate(postgresSession(client), migrations);
    } finally {
      // Closed rather than used again, as it has no statement timeout now.
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
 * Prisma's driver drops the offset of a time, so sessions must speak UTC whatever the server's zone is. PostGIS says of its
 * functions that they cost much, for which PostgreSQL would compile each statement, at a tenth of a second, and start
 * parallel workers for questions that one answers sooner; it does from some hundred thousand features on. Prepared
 * statements are planned for the values that they are given.
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

/** Storing a large result is one transaction; it may take this long, and wait this long for its turn. */
const TRANSACTION_TIMEOUT_MS = 15 * 60_000;

/** What differs on a server, outside transactions. */
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
      prisma.$transaction(
        async (client) => {
          if (server.statementTimeoutS !== undefined) await client.$executeRaw`SET LOCAL statement_timeout = 0`;
          return work(queriesOn(client, {}));
        },
        { timeout: TRANSACTION_TIMEOUT_MS, maxWait: TRANSACTION_TIMEOUT_MS },
      ),
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
      throw error;
    });
  return {
    prisma,
    query: async (row, statement) => rowsOf(row).parse(await timed(read(statement))),
    execute: (statement) => timed(prisma.$executeRaw(statement)),
    foreign: (sql, values) => timed(prisma.$queryRawUnsafe<object[]>(sql, ...values)),
  };
}

const parsers = new WeakMap<z.ZodType, unknown>();

/** Parser of rows, made once for each kind: making one takes longer than it takes to parse a few rows. */
function rowsOf<Row>(row: z.ZodType<Row>): z.ZodType<Row[]> {
  const known = parsers.get(row) as z.ZodType<Row[]> | undefined;
  if (known) return known;
  const made = z.array(row);
  parsers.set(row, made);
  return made;
}

/** SQLSTATE 57014, query_canceled, as the driver says it, and as Prisma's driver adapters hand it on. */
const Cancelled = z.union([
  z.object({ code: z.literal('57014') }),
  z.object({
    meta: z.object({ driverAdapterError: z.object({ cause: z.object({ originalCode: z.literal('57014') }) }) }),
  }),
]);
const isCancelled = (error: unknown): boolean => Cancelled.safeParse(error).success;

/** Prisma makes an error of its own of what a driver throws, and keeps the code. */
const Lost = z.object({ code: z.literal('STATEMENT_LOST') });

const CapabilitiesRow = z.object({ postgresql: z.string(), postgis: z.string(), vectorTiles: z.boolean() });

async function readCapabilities(queries: Queries): Promise<Capabilities> {
  const [found] = await queries.query(
    CapabilitiesRow,
    Prisma.sql`
      SELECT split_part(current_setting('server_version'), ' ', 1) AS postgresql, postgis_lib_version() AS postgis,
             postgis_libprotobuf_version() IS NOT NULL AS "vectorTiles"`,
  );
  if (!found) throw new Error('the database did not say what it is');
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
