import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';

const SCRIPT = path.resolve(import.meta.dirname, 'worker-process.ts');

/** A process that carries out runs with the model of the tests. */
export interface WorkerProcess {
  /** As the rows that it runs have it. */
  readonly number: number;
  /** Windows that its model answered. */
  windows(): number;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** @param folder that scenes and kept windows lie in */
export async function startWorker(databaseUrl: string, folder: string, pauseMs: number): Promise<WorkerProcess> {
  const child: ChildProcessByStdio<null, Readable, null> = spawn(
    process.execPath,
    ['--import', 'tsx', SCRIPT, databaseUrl, folder, String(pauseMs)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout });
  const [first] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the worker ended with ${code}`))),
  ])) as [string];
  let windows = 0;
  lines.on('line', () => windows++);
  return {
    number: Number(first),
    windows: () => windows,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Address of the database that a test opened on the server of DATABASE_URL. */
export async function urlOf(database: Database): Promise<string> {
  const [row] = await database.query(z.object({ name: z.string() }), Prisma.sql`SELECT current_database() AS name`);
  const url = new URL(process.env['DATABASE_URL']!);
  url.pathname = `/${row!.name}`;
  return url.href;
}
