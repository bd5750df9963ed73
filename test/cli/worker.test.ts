import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import type { Database } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { startCommand } from '../durability/processes.ts';
import { urlOf } from '../durability/workers.ts';
import { temporaryFolder } from '../inference/model-folder.ts';
import { CapturedTerminal } from './captured-terminal.ts';

const START_MS = 300_000;

async function cli(...words: string[]) {
  const terminal = new CapturedTerminal();
  const exitCode = await runCli(words, terminal, {});
  return { exitCode, output: terminal.output, notes: terminal.notes };
}

describe('terraql worker', () => {
  it.each([
    [['--runs', '0'], /'0' is invalid\. It must be a whole number of at least 1/],
    [['--runs', 'many'], /'many' is invalid\. It must be a number/],
    [['--url', 'http://127.0.0.1:4000'], /unknown option '--url'/],
  ])('refuses %j', async (words, reason) => {
    const { exitCode, output, notes } = await cli('worker', ...words);
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
    expect(notes.join('\n')).toMatch(reason);
  });

  it.each([
    ['worker', /runs to carry out at once \(TERRAQL_RUNS\)/],
    ['model-server', /TCP port; 0 picks a free one \(TERRAQL_MODEL_PORT\)/],
    ['dead-letters', /redrive/],
  ])('and its like explain themselves: %s --help', async (command, said) => {
    const { exitCode, output } = await cli(command, '--help');
    expect(exitCode).toBe(0);
    expect(output).toMatch(said);
  });

  describe('as a process', () => {
    let environment: NodeJS.ProcessEnv = {};
    let database: Database | null = null;
    beforeAll(async () => {
      const folder = await temporaryFolder();
      environment = { TERRAQL_DATA_DIR: folder, TERRAQL_MODELS_DIR: folder };
      if (process.env['DATABASE_URL'] === undefined) return;
      database = await openTestDatabase();
      environment['DATABASE_URL'] = await urlOf(database);
    }, START_MS);
    afterAll(() => database?.close());

    it(
      'says when it takes runs and how many at a time, and ends when it is asked to',
      async () => {
        const worker = await startCommand(['worker', '--runs', '3'], environment);
        expect(worker.started).toEqual({ pid: expect.any(Number), runs: 3 });
        expect(await worker.end('SIGTERM')).toEqual([0, null]);
      },
      START_MS,
    );

    it(
      'does not start with a setting that it cannot use, and says what is allowed',
      async () => {
        const starting = startCommand(['worker'], { ...environment, TERRAQL_MODEL_URL: 'gpu1:8000' });
        await expect(starting).rejects.toThrow(
          /TERRAQL_MODEL_URL="gpu1:8000": must be http:\/\/ or https:\/\/ addresses/,
        );
      },
      START_MS,
    );
  });
});
