import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');

/** A command of TerraQL that runs until it is ended. */
export interface Running {
  /** The line of JSON that it printed when it was up. */
  readonly started: Readonly<Record<string, unknown>>;
  readonly pid: number;
  /** How often it has printed that line. */
  count(line: string): number;
  /** Resolves when it prints that line, or did. */
  printed(line: string): Promise<void>;
  /** @returns exit code and signal */
  end(signal: NodeJS.Signals): Promise<readonly [number | null, NodeJS.Signals | null]>;
}

/**
 * Starts a command as its own process, with `--json`.
 * @throws with what it wrote to its standard error when it ends before it is up
 */
export function startCommand(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<Running> {
  return startScript(MAIN, [...words, '--json'], environment);
}

/** Starts a script that prints a line of JSON when it is up. @throws as {@link startCommand} */
export async function startScript(
  script: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Running> {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    ['--import', 'tsx', script, ...words],
    { env: { ...process.env, TERRAQL_LOG_LEVEL: 'silent', ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const said: Buffer[] = [];
  child.stderr.on('data', (part: Buffer) => said.push(part));
  const lines = createInterface({ input: child.stdout });
  const seen = new Map<string, number>();
  lines.on('line', (one) => seen.set(one, (seen.get(one) ?? 0) + 1));
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(Buffer.concat(said).toString()))),
  ])) as [string];
  return {
    started: JSON.parse(line) as Record<string, unknown>,
    pid: child.pid!,
    count: (wanted) => seen.get(wanted) ?? 0,
    async printed(wanted) {
      while (!seen.has(wanted)) await once(lines, 'line');
    },
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode];
      const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
      child.kill(signal);
      return ended;
    },
  };
}
