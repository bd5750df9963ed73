import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { PGlite } from '@electric-sql/pglite';
import { postgis } from '@electric-sql/pglite-postgis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIGRATIONS_DIR, readMigrations } from '../../src/database/migrate.ts';
import { migratedSnapshot } from '../database/test-database.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');
const START_MS = 120_000;
let folder = '';
let environment: NodeJS.ProcessEnv = {};

/** A data folder whose embedded database is made already, and a folder without models: both make the start quick. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-serve-'));
  const snapshot = await migratedSnapshot(await readMigrations(MIGRATIONS_DIR));
  const pglite = await PGlite.create({
    dataDir: path.join(folder, 'pglite'),
    loadDataDir: snapshot,
    extensions: { postgis },
  });
  await pglite.close();
  const { DATABASE_URL: _unset, ...rest } = process.env;
  environment = {
    ...rest,
    NODE_ENV: 'test',
    TERRAQL_DATA_DIR: folder,
    TERRAQL_MODELS_DIR: await mkdtemp(path.join(folder, 'models-')),
    TERRAQL_PORT: '0',
    TERRAQL_LOG_LEVEL: 'silent',
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Cli = ChildProcessByStdio<null, Readable, Readable>;

/** The command line as its own process. */
function terraql(words: readonly string[], extra: NodeJS.ProcessEnv = {}): Cli {
  return spawn(process.execPath, ['--import', 'tsx', MAIN, ...words], {
    env: { ...environment, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finished(process_: Cli): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [stdout, stderr, [code]] = await Promise.all([
    text(process_.stdout),
    text(process_.stderr),
    once(process_, 'exit') as Promise<[number | null]>,
  ]);
  // Lines that only say that the start takes longer than two seconds.
  return { code, stdout, stderr: stderr.replace(/^Starting \(\d+ s\)\n/gm, '') };
}

async function text(stream: Readable): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}

async function firstLine(stream: Readable): Promise<string> {
  let all = '';
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk) => {
      all += String(chunk);
      if (all.includes('\n')) resolve(all.slice(0, all.indexOf('\n')));
    });
    stream.on('end', () => reject(new Error(`ended after ${JSON.stringify(all)}`)));
  });
}

describe('terraql serve', () => {
  it(
    'serves until SIGTERM, is found by other commands, keeps its database to itself, and leaves with 0',
    async () => {
      const server = terraql(['serve', '--json']);
      const { url, pid } = JSON.parse(await firstLine(server.stdout)) as { url: string; pid: number };
      expect(pid).toBe(server.pid);
      expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true });
      expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ database: true, model: false });
      expect(JSON.parse(await readFile(path.join(folder, 'server.json'), 'utf8'))).toEqual({
        pid,
        url,
        secret: expect.stringMatching(/^tqm_/) as string,
      });

      const list = await finished(terraql(['scenes', '--json']));
      expect(list).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
      const second = await finished(terraql(['migrate']));
      expect(second).toMatchObject({ code: 1, stdout: '' });
      expect(second.stderr).toMatch(/terraql: The embedded database in .* is open in another process; [^\n]+\n$/);

      server.kill('SIGTERM');
      expect(await once(server, 'exit')).toEqual([0, null]);
      expect(await readdir(folder)).not.toContain('server.json');
    },
    2 * START_MS,
  );

  it(
    'leaves with 1 and one line when the port is taken',
    async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const { code, stdout, stderr } = await finished(
        // Before anything else is opened: the database that it would use is not there.
        terraql(['serve', '--port', String(port)], { DATABASE_URL: 'postgresql://user@127.0.0.1:9/none' }),
      );
      other.close();
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe(
        `terraql: Cannot listen on 127.0.0.1:${port}: another process uses the port; set TERRAQL_PORT to a free port\n`,
      );
    },
    START_MS,
  );
});
