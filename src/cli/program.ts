import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { addAdjacency } from './adjacency.ts';
import { addArchive } from './archive.ts';
import { addDeadLetters } from './dead-letters.ts';
import { addDemo } from './demo.ts';
import { addEvaluate } from './evaluate.ts';
import { addFeatures } from './features.ts';
import { addScenes, addSegmentations } from './lists.ts';
import { addKeys } from './keys.ts';
import { addMcp } from './mcp.ts';
import { addMigrate } from './migrate.ts';
import { addModelServer } from './model-server.ts';
import { addModels } from './models.ts';
import { addQuery } from './query.ts';
import { addRedundancy } from './redundancy.ts';
import { addRegister } from './register.ts';
import type { CommandContext } from './application/run-command.ts';
import { addSegment } from './segment.ts';
import { addSegmentScenes } from './segment-scenes.ts';
import { addServe } from './serve.ts';
import {
  errorLine,
  EXIT_FAILURE,
  EXIT_INTERRUPTED,
  EXIT_OK,
  EXIT_USAGE,
  InterruptedError,
  type Terminal,
  UsageError,
} from './terminal/terminal.ts';
import { addWorkspaces } from './workspaces.ts';
import { addWorker } from './worker.ts';

/**
 * Runs one command of `terraql`.
 * @param words of the command line, without the program's own name
 * @returns exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted
 */
export async function runCli(
  words: readonly string[],
  terminal: Terminal,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const context: CommandContext = { terminal, environment, exitCode: EXIT_OK };
  try {
    await createProgram(context).parseAsync([...words], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return failed(error, terminal);
  }
}

function failed(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    // Commander has printed help or the reason already.
    return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  }
  terminal.note(`terraql: ${errorLine(error)}`);
  if (error instanceof UsageError) return EXIT_USAGE;
  return error instanceof InterruptedError ? EXIT_INTERRUPTED : EXIT_FAILURE;
}

/** The commands of `terraql`, which do what they do in a context. */
export function createProgram(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('terraql')
    .description('Ask an aerial or satellite image a question; get polygons with areas and neighbours, over GraphQL.')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text) =>
        terminal.note(
          `terraql: ${text
            .trim()
            .replace(/^error: /, '')
            .replace(/\s*\n\s*/g, '; ')}`,
        ),
    });
  for (const add of COMMANDS) add(program, context);
  return program;
}

const COMMANDS = [
  addDemo,
  addServe,
  addWorker,
  addModelServer,
  addRegister,
  addSegment,
  addSegmentScenes,
  addFeatures,
  addAdjacency,
  addQuery,
  addMcp,
  addScenes,
  addSegmentations,
  addDeadLetters,
  addKeys,
  addWorkspaces,
  addArchive,
  addModels,
  addEvaluate,
  addRedundancy,
  addMigrate,
] as const;

function version(): string {
  const file = path.resolve(import.meta.dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
