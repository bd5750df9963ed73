import path from 'node:path';
import { z } from 'zod';
import { count, documented, type Documentation, quoted } from './documented-setting.ts';
import { EXECUTION_PROVIDERS } from './execution-provider-names.ts';
import { IDENTITY_SETTINGS } from './identity-settings.ts';
import { RETENTION_SETTINGS } from './retention-settings.ts';
import { REMOTE_SETTINGS } from './remote-settings.ts';

const PROJECT_ROOT = path.resolve(import.meta.dirname, '..');

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Every environment variable that TerraQL reads. */
export const environmentSchema = z.object({
  DATABASE_URL: documented(
    z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres:// or postgresql://')
      .optional(),
    {
      description: 'PostgreSQL 15 or newer with PostGIS 3.3 or newer.',
      otherwise: 'embedded database in `TERRAQL_DATA_DIR`',
    },
  ),
  TERRAQL_ROW_SECURITY: documented(z.enum(['on', 'off']).default('on'), {
    description:
      'Whether PostgreSQL row-level security applies to requests, in addition to the conditions of every statement; see [row-level security](#row-level-security).',
  }),
  TERRAQL_HOST: documented(z.string().min(1).default('127.0.0.1'), { description: 'Address to listen on.' }),
  TERRAQL_PORT: documented(z.coerce.number().int().min(0).max(65_535).default(4000), {
    description: 'TCP port; 0 picks a free one.',
  }),
  ...IDENTITY_SETTINGS,
  TERRAQL_PUBLIC_URL: documented(
    z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }).optional(),
    {
      description: 'Base of the links in answers, when clients reach the service under another address.',
      otherwise: 'address of the request',
    },
  ),
  TERRAQL_ALLOWED_HOSTS: documented(
    z
      .string()
      .default('')
      .transform((names) => names.split(',').flatMap((name) => name.trim() || [])),
    {
      description:
        'Accepted host names of requests, separated by commas, in addition to loopback names and the host of `TERRAQL_PUBLIC_URL`.',
      otherwise: 'none',
    },
  ),
  TERRAQL_CORS_ORIGINS: documented(
    z
      .string()
      .default('')
      .transform((origins) => origins.split(',').flatMap((origin) => origin.trim() || []))
      .pipe(
        z.array(
          z
            .string()
            .regex(
              /^(\*|https?:\/\/[^/]+)$/,
              'must be origins such as https://maps.example.org, separated by commas, or *',
            ),
        ),
      ),
    {
      description: 'Origins whose pages may use the service from a browser, separated by commas; `*` for any.',
      otherwise: 'none',
    },
  ),
  TERRAQL_BASEMAP_STYLE: documented(z.url({ protocol: /^https?$/ }).optional(), {
    description: 'MapLibre style of a background map for the dashboard.',
    otherwise: 'none; nothing is loaded from other servers',
  }),
  TERRAQL_DATA_DIR: documented(z.string().min(1).default('.terraql'), {
    description: 'Folder of the embedded database, uploads, downloads and unfinished runs.',
  }),
  TERRAQL_SCENE_ROOTS: documented(
    z
      .string()
      .default(process.cwd())
      .transform((roots) => roots.split(path.delimiter).filter((root) => root !== '')),
    {
      description: 'Folders from which scenes may be read, separated by `:` (`;` on Windows).',
      otherwise: 'working directory',
    },
  ),
  TERRAQL_MAX_BYTES: count(2 * 1024 ** 3, 'Largest scene file; a file that is read by range may be larger.', 'bytes'),
  TERRAQL_MAX_PIXELS: count(4e9, 'Largest scene.', 'pixels'),
  TERRAQL_DECODERS: count(2, 'Number of processes that decode images; each handles one request at a time.'),
  TERRAQL_DECODER_MEMORY_MB: count(1024, 'Memory limit for decoding one image.', 'MiB'),
  TERRAQL_DECODER_TIMEOUT_S: count(120, 'Time limit for decoding one window.', 'seconds'),
  ...REMOTE_SETTINGS,
  TERRAQL_MODELS_DIR: documented(z.string().min(1).default(path.join(PROJECT_ROOT, 'models')), {
    description: 'Folder of models.',
    otherwise: '`models` of the installation',
  }),
  TERRAQL_MODEL: documented(z.string().min(1).optional(), {
    description: 'Default model, `name` or `name/version`.',
    otherwise: 'the only model',
  }),
  TERRAQL_MODEL_THREADS: documented(z.coerce.number().int().min(0).default(0), {
    description: 'Threads of one inference; 0 means one per core.',
  }),
  TERRAQL_MODEL_URL: documented(
    z
      .string()
      .default('')
      .transform((urls) => urls.split(',').flatMap((url) => url.trim().replace(/\/+$/, '') || []))
      .pipe(
        z.array(z.url({ protocol: /^https?$/, error: 'must be http:// or https:// addresses, separated by commas' })),
      ),
    {
      description: 'Servers of the Open Inference Protocol that run the models, separated by commas.',
      otherwise: 'models run in this process',
    },
  ),
  TERRAQL_EXECUTION_PROVIDER: documented(z.enum(EXECUTION_PROVIDERS).default('cpu'), {
    description: `Device that computes the models of this process: ${quoted(EXECUTION_PROVIDERS)}.`,
  }),
  TERRAQL_MODEL_WORKERS: count(1, 'Windows that a model processes at once; each worker thread holds the model once.'),
  TERRAQL_MODEL_QUEUE: count(
    64,
    'Requests that may wait for a model; further requests are refused and may be retried.',
  ),
  TERRAQL_MODEL_TIMEOUT_S: count(120, 'Model request timeout, including queueing.', 'seconds'),
  TERRAQL_MODEL_PORT: documented(z.coerce.number().int().min(0).max(65_535).default(8000), {
    description: 'TCP port of `terraql model-server`.',
  }),
  TERRAQL_TILE_CACHE_MB: documented(z.coerce.number().int().nonnegative().default(64), {
    description: 'Memory for each of three caches: vector tiles, imagery tiles and masks; 0 disables them.',
    unit: 'MiB',
  }),
  TERRAQL_IMAGE_CACHE_MB: count(256, 'Memory for encoded windows, which makes further prompts on a scene fast.', 'MiB'),
  TERRAQL_WORKER: documented(z.enum(['on', 'off']).default('on'), {
    description: '`off` leaves the runs to `terraql worker` processes.',
  }),
  TERRAQL_RUNS: count(1, 'Runs that a process carries out at once.'),
  TERRAQL_NEAR_M: documented(z.coerce.number().min(0).max(10_000).default(50), {
    description: 'Largest gap between features that are stored as NEAR, 0 to 10000.',
    unit: 'metres',
  }),
  TERRAQL_MAX_WINDOWS: count(20_000, 'Maximum number of model windows of one run.'),
  TERRAQL_MAX_PROMPTS: count(20, 'Maximum number of prompts of one `segment` call.'),
  TERRAQL_MAX_VERTICES: count(10_000, 'Maximum number of vertices of a geometry in a request.'),
  TERRAQL_MAX_DEPTH: count(12, 'Maximum nesting depth of a GraphQL operation.'),
  TERRAQL_MAX_ALIASES: count(30, 'Maximum number of aliases in a GraphQL operation.'),
  TERRAQL_MAX_COST: count(
    50_000,
    'Maximum cost of a GraphQL operation; `extensions.cost` of every answer states its cost. A row costs about 1, a spatial condition 5, a join with neighbours 50 to 200.',
  ),
  TERRAQL_STATEMENT_TIMEOUT_S: count(30, 'Timeout of a database statement of a request.', 'seconds'),
  TERRAQL_PERSISTED_OPERATIONS: documented(z.string().min(1).optional(), {
    description:
      'Apollo manifest of persisted operations (JSON file). Over HTTP, the service then answers only these operations and those of the dashboard, and exports only saved views.',
    otherwise: 'any operation',
  }),
  TERRAQL_MAX_PAGE: count(1000, 'Maximum number of nodes on one page of a list.'),
  TERRAQL_MAX_EXPORT: count(1_000_000, 'Maximum number of features in one exported file.'),
  TERRAQL_EXPORT_TTL_S: count(86_400, 'Lifetime of a stored file of features.', 'seconds'),
  TERRAQL_UPLOAD_TTL_S: count(3600, 'Lifetime of an upload URL.', 'seconds'),
  ...RETENTION_SETTINGS,
  TERRAQL_METRICS_PORT: documented(z.coerce.number().int().min(0).max(65_535).optional(), {
    description:
      'TCP port of a second listener of `serve` and `worker` for `/metrics`, `/healthz` and `/readyz`, without authentication.',
    otherwise: '`serve` has `/metrics` among its other routes; `worker` has none',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: documented(z.url({ protocol: /^https?$/ }).optional(), {
    description:
      'OpenTelemetry collector for OTLP over HTTP, such as `http://localhost:4318`; enables traces. The SDK reads its other variables, such as `OTEL_TRACES_SAMPLER`, itself.',
    otherwise: 'no traces',
  }),
  OTEL_SERVICE_NAME: documented(z.string().min(1).default('terraql'), {
    description: 'Name of this service in traces.',
  }),
  TERRAQL_LOG_LEVEL: documented(z.enum(LOG_LEVELS).default('info'), {
    description: `Lowest level that is logged to standard error: ${quoted(LOG_LEVELS)}.`,
  }),
  NODE_ENV: documented(z.enum(['development', 'production', 'test']).default('development'), {
    description: '`production` disables the GraphQL sandbox and introspection.',
  }),
});

/** A setting as documentation shows it. */
export interface SettingRow {
  readonly name: string;
  /** The default, or what happens without a value. */
  readonly fallback: string;
  readonly unit: string;
  readonly description: string;
}

/** Every setting, in the order of {@link environmentSchema}. */
export function settingRows(): SettingRow[] {
  return Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const { description = '', unit = '', otherwise } = (schema.meta() ?? {}) as Partial<Documentation>;
    return { name, description, unit, fallback: otherwise ?? `\`${String(schema.parse(undefined))}\`` };
  });
}

/** The settings of a process, parsed once and frozen. */
export type Config = Readonly<z.infer<typeof environmentSchema>>;

/** An environment variable has an invalid value. The message names each such variable and what it accepts. */
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
    return `${name}=${JSON.stringify(withoutSecrets(environment[name] ?? ''))}: ${requirement(issue)}. ${description}`;
  });
  throw new ConfigError(lines.join('\n'));
}

/** What a value must be, in words. */
function requirement(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    return issue.expected === 'int' ? 'must be a whole number' : `must be a ${issue.expected}`;
  }
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  if (issue.code === 'too_small') return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
  if (issue.code === 'invalid_value') {
    return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
  }
  return issue.message;
}

/** The value without what only its owner should read: user and password of URLs, their queries, passwords of connections. */
function withoutSecrets(value: string): string {
  return value
    .replace(/^(.*?:\/\/)?.*@/s, '$1***@')
    .replace(/\?.*/s, '?***')
    .replace(/(password|secret|token)=\S*/gi, '$1=***');
}
