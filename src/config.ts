import path from 'node:path';
import { z } from 'zod';
import { EXECUTION_PROVIDERS } from './execution-provider-names.ts';

const PROJECT_ROOT = path.resolve(import.meta.dirname, '..');

const count = (fallback: number, description: string) =>
  z.coerce.number().int().positive().default(fallback).describe(description);

/** Every environment variable that TerraQL reads, with its default and meaning; the table of the README is made of it. */
export const environmentSchema = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres:// or postgresql://')
    .optional()
    .describe('PostgreSQL 15+ with PostGIS 3.3+; unset: the embedded engine, in TERRAQL_DATA_DIR'),
  TERRAQL_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  TERRAQL_PORT: z.coerce.number().int().min(0).max(65_535).default(4000).describe('TCP port; 0 picks a free one'),
  TERRAQL_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Base of the links in answers, when clients reach the service under another address'),
  TERRAQL_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform((names) => names.split(',').flatMap((name) => name.trim() || []))
    .describe('Further host names that requests may be addressed to, besides loopback names and TERRAQL_PUBLIC_URL'),
  TERRAQL_DATA_DIR: z.string().min(1).default('.terraql').describe('Embedded database, uploads and downloads'),
  TERRAQL_SCENE_ROOTS: z
    .string()
    .default(process.cwd())
    .transform((roots) => roots.split(path.delimiter).filter((root) => root !== ''))
    .describe(`Folders that scenes may be read from, separated by "${path.delimiter}"; default: the working directory`),
  TERRAQL_MAX_BYTES: count(2 * 1024 ** 3, 'Largest scene file, bytes'),
  TERRAQL_MAX_PIXELS: count(4e9, 'Largest scene, pixels'),
  TERRAQL_MODELS_DIR: z.string().min(1).default(path.join(PROJECT_ROOT, 'models')).describe('Folder of models'),
  TERRAQL_MODEL: z.string().min(1).optional().describe('Model asked by default, `name` or `name/version`'),
  TERRAQL_MODEL_THREADS: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('Threads of one inference; 0: one per core'),
  TERRAQL_MODEL_URL: z
    .string()
    .default('')
    .transform((urls) => urls.split(',').flatMap((url) => url.trim().replace(/\/+$/, '') || []))
    .pipe(z.array(z.url({ protocol: /^https?$/, error: 'must be http:// or https:// addresses with commas between' })))
    .describe('Servers of the Open Inference Protocol that run the models; unset: this process does'),
  TERRAQL_EXECUTION_PROVIDER: z
    .enum(EXECUTION_PROVIDERS)
    .default('cpu')
    .describe('What computes the models that run in this process'),
  TERRAQL_MODEL_WORKERS: count(1, 'Windows that a model works on at once; each worker holds the model once'),
  TERRAQL_MODEL_QUEUE: count(64, 'Most requests that wait for a model; more are refused and may come again'),
  TERRAQL_MODEL_TIMEOUT_S: count(120, 'Longest that a request to a model may take, its waiting included, seconds'),
  TERRAQL_MODEL_PORT: z.coerce.number().int().min(0).max(65_535).default(8000).describe('TCP port of the model server'),
  TERRAQL_IMAGE_CACHE_MB: count(512, 'Memory of a process for encoded windows, so that a next prompt is quick, MiB'),
  TERRAQL_WORKER: z
    .enum(['on', 'off'])
    .default('on')
    .describe('`off`: this process carries out no runs; `terraql worker` processes do'),
  TERRAQL_RUNS: count(1, 'Runs that a process works on at a time'),
  TERRAQL_NEAR_M: z.coerce
    .number()
    .min(0)
    .max(10_000)
    .default(50)
    .describe('Gap up to which features are stored as NEAR, metres'),
  TERRAQL_MAX_WINDOWS: count(20_000, 'Most model windows of one run'),
  TERRAQL_MAX_PROMPTS: count(20, 'Most prompts of one `segment` call'),
  TERRAQL_MAX_VERTICES: count(10_000, 'Most vertices of a geometry in a request'),
  TERRAQL_MAX_DEPTH: count(12, 'Deepest nesting of a GraphQL operation'),
  TERRAQL_MAX_ALIASES: count(30, 'Most aliases of a GraphQL operation'),
  TERRAQL_MAX_COST: count(50_000, 'Highest cost of a GraphQL operation, as `extensions.cost` has it'),
  TERRAQL_STATEMENT_TIMEOUT_S: count(30, 'Longest that a query of a request may take on a PostgreSQL server, seconds'),
  TERRAQL_PERSISTED_OPERATIONS: z
    .string()
    .min(1)
    .optional()
    .describe("Apollo's manifest of persisted operations; set: no other operation is answered"),
  TERRAQL_MAX_PAGE: count(1000, 'Most nodes of one page of a list'),
  TERRAQL_MAX_EXPORT: count(1_000_000, 'Most features of one exported file'),
  TERRAQL_UPLOAD_TTL_S: count(3600, 'Seconds that an upload URL is good for'),
  TERRAQL_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severe log line written'),
  NODE_ENV: z
    .enum(['development', 'production', 'test'])
    .default('development')
    .describe('`production` turns the GraphQL sandbox and introspection off'),
});

/** The settings of a process, parsed once and frozen. */
export type Config = Readonly<z.infer<typeof environmentSchema>>;

/** A variable of the environment has a value that cannot be used; the message names each, with what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Parses the environment.
 * @throws {ConfigError} naming every wrong variable, its value and what is allowed
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const known = Object.fromEntries(
    Object.keys(environmentSchema.shape).map((name) => [
      name,
      environment[name] === '' ? undefined : environment[name],
    ]),
  );
  const parsed = environmentSchema.safeParse(known);
  if (parsed.success) return Object.freeze(parsed.data);
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const { description } = environmentSchema.shape[name as keyof Config];
    return `${name}=${JSON.stringify(environment[name])}: ${issue.message}. ${name}: ${description}`;
  });
  throw new ConfigError(lines.join('\n'));
}
