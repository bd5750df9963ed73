import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, openDatabase, Prisma } from '../../src/database/database.ts';
import { raiseWalls } from '../../src/database/row-security.ts';
import { openMigrationSession } from './test-database.ts';
import { checkServer } from '../../src/database/server-checks.ts';

const url = process.env['DATABASE_URL'];
const AreaRow = z.object({ area: z.number() });

async function run(databaseUrl: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** A database of its own, made with the options and prepared with the statements. */
async function withDatabase(
  options: string,
  statements: readonly string[],
  work: (databaseUrl: string) => Promise<void>,
): Promise<void> {
  const name = `terraql_setup_${randomBytes(6).toString('hex')}`;
  const own = new URL(url!);
  own.pathname = `/${name}`;
  await run(url!, `CREATE DATABASE ${name} ${options}`);
  try {
    await run(own.href, ...statements);
    await work(own.href);
  } finally {
    await run(url!, `DROP DATABASE ${name} WITH (FORCE)`);
  }
}

describe.skipIf(!url)('a server set up in another way', () => {
  it.each(['LATIN1', 'SQL_ASCII'])('with the encoding %s is refused at the start', async (encoding) => {
    await withDatabase(
      `ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
      [],
      async (databaseUrl) => {
        const opened = openDatabase({ databaseUrl, dataDir: '' });
        await expect(opened).rejects.toMatchObject({ code: 'DATABASE_ENCODING' });
        await expect(opened).rejects.toThrow(`the encoding ${encoding}; TerraQL needs UTF8`);
      },
    );
  });

  it('with its extensions in a schema of their own works', async () => {
    const statements = [
      'CREATE SCHEMA "Exten sions"',
      'CREATE EXTENSION postgis SCHEMA "Exten sions"',
      'CREATE EXTENSION pg_trgm SCHEMA "Exten sions"',
    ];
    await withDatabase("ENCODING 'UTF8' TEMPLATE template0", statements, async (databaseUrl) => {
      const database = await openDatabase({ databaseUrl, dataDir: '' });
      try {
        const area = Prisma.sql`SELECT ST_Area(ST_MakeEnvelope(0, 0, 1, 2)) AS area`;
        for (const connections of [database, database.forRuns]) {
          expect(await connections.query(AreaRow, area)).toEqual([{ area: 2 }]);
          expect(await connections.transaction((queries) => queries.query(AreaRow, area))).toEqual([{ area: 2 }]);
        }
      } finally {
        await database.close();
      }
    });
  }, 120_000);

  it('whose user may not create roles is refused with what to grant, and works once that is done', async () => {
    const statements = ['CREATE EXTENSION postgis', 'CREATE EXTENSION pg_trgm'];
    await withDatabase("ENCODING 'UTF8' TEMPLATE template0", statements, async (databaseUrl) => {
      const user = `terraql_plain_${randomBytes(6).toString('hex')}`;
      const name = new URL(databaseUrl).pathname.slice(1);
      const plain = new URL(databaseUrl);
      [plain.username, plain.password] = [user, 'secret'];
      const advice: string[] = [];
      const open = (): Promise<Database> =>
        openDatabase({
          databaseUrl: plain.href,
          dataDir: '',
          onAdvice: (advised) => void advice.push(...advised),
        });
      // Other databases of the server have the role already.
      await openDatabase({ databaseUrl: url!, dataDir: '' }).then((database) => database.close());
      await run(
        databaseUrl,
        `CREATE ROLE ${user} LOGIN NOSUPERUSER NOCREATEROLE PASSWORD 'secret'`,
        `GRANT CREATE ON DATABASE ${name} TO ${user}`,
        `GRANT CREATE ON SCHEMA public TO ${user}`,
      );
      try {
        const refused = await open().then(
          () => null,
          (error: Error & { code: string }) => error,
        );
        expect(refused).toMatchObject({ code: 'DATABASE_ROLE' });
        // What it says is done to the letter.
        const told = /`(GRANT [^`]*)`/.exec(refused!.message)?.[1];
        expect(told).toBe(`GRANT terraql_request TO "${user}";`);
        await run(databaseUrl, told!);
        const database = await open();
        expect(advice.every((statement) => /^ALTER FUNCTION .* LEAKPROOF$/.test(statement))).toBe(true);
        await run(databaseUrl, ...advice);
        try {
          const { forRuns } = database;
          await forRuns.execute(Prisma.sql`INSERT INTO workspace (id, name) VALUES ('other', 'Other')`);
          await forRuns.execute(
            Prisma.sql`INSERT INTO quota (workspace_id, features) VALUES ('other', 1), ('default', 2)`,
          );
          const seen = z.object({ features: z.number() });
          const every = Prisma.sql`SELECT features::int AS features FROM quota ORDER BY 1`;
          expect(await database.forWorkspace('other').query(seen, every)).toEqual([{ features: 1 }]);
          expect(await forRuns.query(seen, every)).toEqual([{ features: 1 }, { features: 2 }]);
        } finally {
          await database.close();
        }
      } finally {
        await run(databaseUrl, `DROP OWNED BY ${user} CASCADE`, `DROP ROLE ${user}`);
      }
    });
  }, 120_000);

  it('that nobody listens on is named, without the password', async () => {
    const opened = openDatabase({ databaseUrl: 'postgresql://user:SECRET@127.0.0.1:9/db', dataDir: '' });
    await expect(opened).rejects.toThrow('DATABASE_URL does not lead to a database: connect ECONNREFUSED 127.0.0.1:9');
    await expect(opened).rejects.not.toThrow('SECRET');
  });
});

const PGBOUNCER = '/usr/sbin/pgbouncer';
const canPool = url !== undefined && existsSync(PGBOUNCER);
if (!canPool) console.warn(`skipped: a pooler needs DATABASE_URL and ${PGBOUNCER} (Debian: pgbouncer)`);

describe.skipIf(!canPool)('PgBouncer', () => {
  /** Runs PgBouncer before the server of DATABASE_URL. */
  async function pooled(mode: string, work: (databaseUrl: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(path.join(tmpdir(), 'terraql-pgbouncer-'));
    const { hostname, port, username } = new URL(url!);
    const own = await freePort();
    await writeFile(path.join(folder, 'users.txt'), `"${username}" ""\n`);
    await writeFile(
      path.join(folder, 'pgbouncer.ini'),
      `[databases]\n* = host=${hostname} port=${port || 5432}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=${own}\n` +
        `auth_type=trust\nauth_file=${folder}/users.txt\npool_mode=${mode}\nunix_socket_dir=\n` +
        'ignore_startup_parameters=extra_float_digits\n',
    );
    await chmod(folder, 0o755);
    const pooler = spawn(PGBOUNCER, ['-u', 'nobody', path.join(folder, 'pgbouncer.ini')], { stdio: 'ignore' });
    const through = new URL(url!);
    through.host = `127.0.0.1:${own}`;
    try {
      await expect
        .poll(
          () =>
            run(through.href).then(
              () => true,
              () => false,
            ),
          { timeout: 10_000 },
        )
        .toBe(true);
      await work(through.href);
    } finally {
      pooler.kill('SIGKILL');
      await rm(folder, { recursive: true });
    }
  }

  it.each(['transaction', 'statement'])('in %s mode is refused at the start, with the reason', async (mode) => {
    await pooled(mode, async (databaseUrl) => {
      await expect(checkServer(databaseUrl)).rejects.toMatchObject({
        code: 'DATABASE_POOLER',
        message: expect.stringContaining('pool_mode=session') as string,
      });
    });
  });

  it('in session mode is taken', async () => {
    await pooled('session', async (databaseUrl) => {
      expect(await checkServer(databaseUrl)).toEqual({ searchPath: expect.any(String) as string });
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.skipIf(url)('a user of a server without the role of requests', () => {
  it('who may not create roles is told what an administrator should run', async () => {
    const { session, close } = await openMigrationSession();
    try {
      await session.script(`
        DROP OWNED BY terraql_request; DROP ROLE terraql_request;
        CREATE ROLE "plain user" NOSUPERUSER NOCREATEROLE; SET ROLE "plain user"`);
      await expect(raiseWalls(session)).rejects.toMatchObject({
        code: 'DATABASE_ROLE',
        message: expect.stringContaining(
          '`CREATE ROLE terraql_request NOLOGIN NOBYPASSRLS; GRANT terraql_request TO "plain user";`',
        ) as string,
      });
    } finally {
      await close();
    }
  });

  it('whose role of requests is not bound by row-level security is told how to bind it', async () => {
    const { session, close } = await openMigrationSession();
    try {
      await session.script('ALTER ROLE terraql_request BYPASSRLS');
      await expect(raiseWalls(session)).rejects.toThrow('`ALTER ROLE terraql_request NOSUPERUSER NOBYPASSRLS;`');
    } finally {
      await close();
    }
  });
});
