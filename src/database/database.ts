import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { translateOutage } from './database-errors.ts';
import { type Connections, connectionsOn, type EngineOptions, type Ownership } from './connections.ts';
import { type Capabilities, readCapabilities } from './capabilities.ts';
import { embeddedOwner, type OwnerTransaction, serverOwner } from './owner-transaction.ts';
import type { EmbeddedClient, EngineClient } from './engine-client.ts';
import { openEmbeddedEngine, refuseLostStatements } from './embedded-engine.ts';
import { PrismaClient } from './generated/client.ts';
import { migrate, type Migration, MIGRATIONS_DIR, type MigrationSession, readMigrations } from './migrate.ts';
import { embeddedDriver } from './embedded-driver.ts';
import { prismaDriver } from './prisma-driver.ts';
import { RequestPool } from './request-pool.ts';
import { renumberRestored } from './renumber-outbox.ts';
import { raiseWalls, REQUEST_ROLE } from './row-security.ts';
import { DEFAULT_WORKSPACE, EVERY_WORKSPACE, scopeOf } from './scope.ts';
import { checkServer } from './server-checks.ts';
import { openPools, type ServerPools } from './server-pools.ts';
import { serverReader } from './server-reader.ts';
import { embeddedSession, ServerSession, type Session } from './session.ts';

export { type Connections, type Queries, StatementTimeoutError } from './connections.ts';
export type { Session } from './session.ts';
export { Prisma } from './generated/client.ts';

/** What a workspace has in the database, and nothing of another. */
export interface WorkspaceDatabase extends Connections {
  readonly capabilities: Capabilities;
}

/**
 * An open, migrated database. By itself it reads and writes the default workspace, as the owner of the tables, whom
 * row-level security does not bind.
 */
export interface Database extends WorkspaceDatabase {
  /** The generated client, as the owner: every row of every workspace. */
  readonly prisma: PrismaClient;
  /** The database as requests of a workspace see it: bound by its scope, and by row-level security. */
  forWorkspace(workspace: string): WorkspaceDatabase;
  /**
   * Every workspace, for runs and for sweeping, on connections that requests cannot use up. The embedded engine has one for
   * all.
   */
  readonly forRuns: Connections;
  /** Every row of every workspace, in one transaction however long it takes. */
  readonly asOwner: OwnerTransaction;
  /** Use of the connections of each pool; empty on the embedded engine. */
  poolUse(): readonly PoolUse[];
  /**
   * Asks the database for a sign of life, on a connection of its own and within seconds.
   * @throws {OutageError} when there is none
   */
  ping(): Promise<void>;
  /** Says that a close will follow: from here on an embedded engine that is lost or stopped is not started again. */
  announceClose(): void;
  close(): Promise<void>;
}

/** Connections of a pool. */
export interface PoolUse {
  readonly pool: string;
  readonly busy: number;
  readonly idle: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
}

export interface DatabaseOptions {
  /** PostgreSQL URL; undefined: the embedded engine. */
  readonly databaseUrl?: string | undefined;
  /** Data folder; the embedded engine uses its subfolder `pglite`. */
  readonly dataDir: string;
  /** Timeout of a statement outside a transaction, seconds; undefined: none on a server, 30 on the embedded engine. */
  readonly statementTimeoutS?: number;
  /** Whether row-level security binds requests; by default it does. */
  readonly rowSecurity?: boolean;
  /** Called with what an administrator of the server should run, so that requests use its indexes. */
  readonly onAdvice?: (statements: readonly string[]) => void;
  /** Receives the time of each statement, milliseconds. */
  readonly onStatement?: (durationMs: number) => void;
  /** Called when the embedded engine was restarted, with the reason. */
  readonly onRestart?: (reason: string) => void;
}

/** The embedded engine has one connection: a statement that never ends would hold up everything for ever. */
const EMBEDDED_TIMEOUT_S = 30;

/**
 * Opens PostgreSQL, or the embedded engine without a URL, and applies missing migrations.
 * @throws {DatabaseTooOldError} {@link EmbeddedDatabaseInUseError}, errors of {@link migrate} and of the connection
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, dataDir, statementTimeoutS, onRestart, onStatement, rowSecurity = true } = options;
  const migrations = await readMigrations(MIGRATIONS_DIR);
  if (databaseUrl !== undefined) return openPostgres(databaseUrl, migrations, options);
  const timeoutS = statementTimeoutS ?? EMBEDDED_TIMEOUT_S;
  const limits = { statementTimeoutMs: timeoutS * 1000, ...(onRestart ? { onRestart } : {}) };
  const engine = await openEmbeddedEngine(path.join(dataDir, 'pglite'), limits);
  return databaseOnPGlite(engine.client, migrations, () => engine.close(), {
    statementTimeoutS: timeoutS,
    onStatement,
    stop: () => engine.client.restart('a run was stopped in the middle of a statement'),
    rowSecurity,
  });
}

/** A client in this thread, as tests use it, has less to say of itself. */
type OwnedClient = EmbeddedClient & Partial<Pick<EngineClient, 'checkAnswers' | 'announceClose'>>;

/** Clients in this thread, as tests use them, block the event loop while they work, so callers are answered afterwards. */
const ping = async (client: OwnedClient): Promise<void> => client.checkAnswers?.();

/**
 * Makes a database from a running embedded engine and owns it.
 * @throws errors of {@link migrate}, after closing the engine
 */
export async function databaseOnPGlite(
  client: OwnedClient,
  migrations: readonly Migration[],
  close: () => Promise<void>,
  { rowSecurity = true, ...engine }: EngineOptions & Pick<DatabaseOptions, 'rowSecurity'> = {},
): Promise<Database> {
  try {
    refuseLostStatements(client);
    const session = pgliteSession(client);
    await migrate(session, migrations, async () => {
      await renumberRestored(session);
      if (rowSecurity) await raiseWalls(session);
    });
    const kept = embeddedSession(client);
    const prisma = new PrismaClient({ adapter: new PrismaPGlite(client as unknown as PGlite) });
    const owner = prismaDriver(prisma);
    const forRuns = connectionsOn(owner, kept, engine, OF_EVERY_WORKSPACE);
    const capabilities = await readCapabilities(forRuns);
    const forWorkspace = (workspace: string): WorkspaceDatabase => {
      const served = rowSecurity ? client.serving(workspace) : client;
      if (rowSecurity) refuseLostStatements(served);
      return { ...connectionsOn(embeddedDriver(served), kept, engine, ownershipOf(workspace)), capabilities };
    };
    return {
      ...connectionsOn(owner, kept, engine, ownershipOf(DEFAULT_WORKSPACE)),
      capabilities,
      prisma,
      forWorkspace,
      forRuns,
      asOwner: embeddedOwner(client),
      poolUse: () => [],
      ping: () => ping(client),
      announceClose: () => client.announceClose?.(),
      async close() {
        await kept.close();
        await prisma.$disconnect();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type ServerOptions = { readonly [Option in 'statementTimeoutS' | 'onStatement']: DatabaseOptions[Option] | undefined };

async function openPostgres(
  url: string,
  migrations: readonly Migration[],
  { statementTimeoutS, onStatement, rowSecurity = true, onAdvice = () => undefined }: DatabaseOptions,
): Promise<Database> {
  const { searchPath } = await checkServer(url);
  const pools = openPools(url, sessionSql(searchPath), statementTimeoutS, rowSecurity ? REQUEST_ROLE : null);
  try {
    const client = await pools.runs.connect();
    try {
      const opened = postgresSession(client);
      await migrate(opened, migrations, async () => {
        await renumberRestored(opened);
        const advice = rowSecurity ? await raiseWalls(opened) : [];
        if (advice.length > 0) onAdvice(advice);
      });
    } finally {
      client.release();
    }
    return await databaseOnPools(pools, new ServerSession(url), { statementTimeoutS, onStatement });
  } catch (error) {
    await pools.end();
    throw error;
  }
}

const poolUse = (name: string, pool: pg.Pool): PoolUse => ({
  pool: name,
  busy: pool.totalCount - pool.idleCount,
  idle: pool.idleCount,
  waiting: pool.waitingCount,
});

async function databaseOnPools(
  pools: ServerPools,
  session: Session,
  { statementTimeoutS, onStatement }: ServerOptions,
): Promise<Database> {
  const prisma = new PrismaClient({ adapter: new PrismaPg(pools.runs) });
  const owner = prismaDriver(prisma, serverReader(pools.runs));
  const requests = new RequestPool(pools.requests);
  const ofRuns: EngineOptions = { cancel: (backend) => pools.cancel(backend), onStatement };
  const ofRequests = { ...ofRuns, ...(statementTimeoutS === undefined ? {} : { statementTimeoutS }) };
  const forRuns = connectionsOn(owner, session, ofRuns, OF_EVERY_WORKSPACE);
  const capabilities = await readCapabilities(forRuns);
  const forWorkspace = (workspace: string): WorkspaceDatabase => ({
    ...connectionsOn(requests.driverFor(workspace), session, ofRequests, ownershipOf(workspace)),
    capabilities,
  });
  return {
    ...connectionsOn(owner, session, ofRuns, ownershipOf(DEFAULT_WORKSPACE)),
    capabilities,
    prisma,
    forWorkspace,
    forRuns,
    asOwner: serverOwner(pools.runs),
    poolUse: () => [poolUse('requests', pools.requests), poolUse('runs', pools.runs)],
    ping: () =>
      pools.ping().catch((error: unknown) => {
        throw translateOutage(error);
      }),
    announceClose: () => undefined,
    async close() {
      await session.close();
      await prisma.$disconnect();
      await pools.end();
    },
  };
}

/**
 * Session settings. Prisma's driver drops time offsets, so the session time zone is UTC. PostGIS declares its functions as
 * expensive, which would make PostgreSQL compile each statement (0.1 s) and start parallel workers for small queries; with
 * these costs it does so from some hundred thousand features on. Prepared statements are planned for their values.
 * @param searchPath of the database, with the schemas of the extensions
 */
function sessionSql(searchPath: string): string {
  return `SET TIME ZONE 'UTC'; SET jit = off; SET parallel_setup_cost = 1000000; SET plan_cache_mode = force_custom_plan;
    SET search_path = ${searchPath}`;
}

function pgliteSession(pglite: EmbeddedClient): MigrationSession {
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

const ownershipOf = (workspace: string): Ownership => ({ workspace, scope: scopeOf(workspace) });

/** What serves every workspace; it stores what it finds with the workspace of what it was found on. */
const OF_EVERY_WORKSPACE: Ownership = { workspace: DEFAULT_WORKSPACE, scope: EVERY_WORKSPACE };
