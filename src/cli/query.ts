import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Service } from './application/ask.ts';
import { readJson, type ServiceOptions, urlOption } from './terminal/options.ts';
import { type CommandContext, withService } from './application/run-command.ts';
import { errorLine, UsageError } from './terminal/terminal.ts';

interface QueryOptions extends ServiceOptions {
  readonly variables?: string;
}

/** An operation of a file with its variables. */
export interface SavedOperation {
  /** Name of the file, without its extension. */
  readonly name: string;
  readonly document: string;
  /** Texts `@scene:…` and `@segmentation:…` stand for identifiers. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Adds `terraql query`. */
export function addQuery(program: Command, context: CommandContext): void {
  program
    .command('query')
    .description('run GraphQL operations from files and print the answers as JSON')
    .argument('<files...>', 'files with one operation each; several answers are printed as one object, by name')
    .option('--variables <json>', 'variables as JSON or file (default: the file of the same name ending in .json)')
    .addOption(urlOption())
    .addHelpText(
      'after',
      '\nIn variables, "@scene:NAME" is the newest scene of that name, and "@segmentation:PROMPT" is the newest\nfinished segmentation with that prompt.',
    )
    .action((files: string[], options: QueryOptions) =>
      withService(context, options, async ({ service, terminal }) => {
        const answers: Record<string, unknown> = {};
        for (const file of files) {
          const operation = await readOperation(file, options.variables);
          answers[operation.name] = await answerOperation(service, operation);
        }
        terminal.write(`${JSON.stringify(files.length === 1 ? Object.values(answers)[0] : answers, null, 2)}\n`);
      }),
    );
}

/**
 * Reads an operation and its variables.
 * @param variables JSON or file; undefined for the file beside the operation, if there is one
 * @throws {UsageError}
 */
export async function readOperation(file: string, variables?: string): Promise<SavedOperation> {
  const document = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${file}: ${errorLine(error)}`);
  });
  const { dir, name } = path.parse(file);
  const beside = path.join(dir, `${name}.json`);
  const value = await readJson('--variables', variables ?? (existsSync(beside) ? beside : '{}'));
  const parsed = z.record(z.string(), z.unknown()).safeParse(value);
  if (!parsed.success) throw new UsageError(`The variables of ${file} are not a JSON object.`);
  return { name, document, variables: parsed.data };
}

/** @returns the data of the answer @throws {UsageError} for an unknown name */
export async function answerOperation(service: Service, { document, variables }: SavedOperation): Promise<unknown> {
  const named = (await withIdentifiers(service, variables)) as Record<string, unknown>;
  return service.ask(z.unknown(), document, named);
}

/** Replaces names by identifiers. */
async function withIdentifiers(service: Service, value: unknown): Promise<unknown> {
  if (typeof value === 'string') {
    const [, kind, name] = /^@(scene|segmentation):(.+)$/s.exec(value) ?? [];
    if (kind === undefined || name === undefined) return value;
    return kind === 'scene' ? sceneNamed(service, name) : segmentationAsked(service, name);
  }
  if (Array.isArray(value)) return Promise.all(value.map((item) => withIdentifiers(service, item)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    async ([key, item]) => [key, await withIdentifiers(service, item)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

const SCENES = `query ScenesNamed($name: String!, $after: String) {
  found: scenes(filter: { name: $name }, first: 100, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } } }`;
const SEGMENTATIONS = `query Finished($after: String) {
  found: segmentations(filter: { state: SUCCEEDED }, first: 100, after: $after) {
    nodes { id name: prompt } pageInfo { hasNextPage endCursor } } }`;

async function sceneNamed(service: Service, name: string): Promise<string> {
  const id = await newestNamed(service, SCENES, name);
  if (id === null) throw new UsageError(`@scene:${name}: no scene has that name.`);
  return id;
}

async function segmentationAsked(service: Service, prompt: string): Promise<string> {
  const id = await newestNamed(service, SEGMENTATIONS, prompt);
  if (id === null) throw new UsageError(`@segmentation:${prompt}: no finished segmentation has that prompt.`);
  return id;
}

const Found = z.object({
  found: z.object({
    nodes: z.array(z.object({ id: z.string(), name: z.string() })),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
});

/** Lists come newest first. */
async function newestNamed(service: Service, document: string, name: string): Promise<string | null> {
  let after: string | null = null;
  do {
    const variables: Record<string, unknown> = { name, after };
    const { found } = await service.ask(Found, document, variables);
    const match = found.nodes.find((node) => node.name === name);
    if (match) return match.id;
    after = found.pageInfo.hasNextPage ? found.pageInfo.endCursor : null;
  } while (after !== null);
  return null;
}
