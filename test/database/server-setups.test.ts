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
import { openDatabase, Prisma } from '../../src/database/database.ts';
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
