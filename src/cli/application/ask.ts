import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { App } from '../../app.ts';
import type { Config } from '../../config.ts';
import { AppError } from '../../errors.ts';
import type { FeatureExport } from '../../export/export.service.ts';
import { DEFAULT_VIEWER, type Viewer } from '../../identity/viewer.ts';
import { createLogger } from '../../logging.ts';
import { traceFields } from '../../telemetry/tracing.ts';
import { withProgress } from '../terminal/progress.ts';
import { findServer, serverSecret } from '../../server-file.ts';
import { errorLine, type Terminal } from '../terminal/terminal.ts';

/** A file of features, ready to be read. A server does not report how many it has written so far. */
export type FeatureFile = Omit<FeatureExport, 'format'>;

/** The only port of the commands to the service. */
export interface Service {
  /** Address of the server that answers; null when this process answers itself. */
  readonly url: string | null;
  /**
   * Runs a GraphQL operation.
   * @param answer schema of the data
   * @throws {RequestRefusedError} with what the service says; {@link ServerUnreachableError}
   */
  ask<T>(answer: z.ZodType<T>, document: string, variables: Readonly<Record<string, unknown>>): Promise<T>;
  /**
   * Features as a file.
   * @param request as the routes `/features.{format}` take it; members that are undefined are left out
   * @throws {RequestRefusedError} {@link ServerUnreachableError}, and while reading {@link FileBrokenOffError}
   */
  exportFeatures(format: string, request: Readonly<Record<string, unknown>>): Promise<FeatureFile>;
  /**
   * Runs a GraphQL subscription.
   * @param answer schema of the data of each answer
   * @returns the answers as they arrive; ending the iteration ends the subscription
   * @throws {RequestRefusedError} {@link ServerUnreachableError} while it is read
   */
  subscribe<T>(
    answer: z.ZodType<T>,
    document: string,
    variables: Readonly<Record<string, unknown>>,
  ): AsyncIterableIterator<T>;
  close(): Promise<void>;
}

/** The service answered with errors. */
export class RequestRefusedError extends AppError {
  /** @param code of the first error */
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

export class ServerUnreachableError extends AppError {
  readonly code = 'SERVER_UNREACHABLE';
  constructor(url: string, cause: unknown) {
    super(`No TerraQL server answers at ${url}: ${errorLine(reasonOf(cause))}`, { cause });
  }
}

/** The server stopped in the middle of a file. */
export class FileBrokenOffError extends AppError {
  readonly code = 'FILE_BROKEN_OFF';
  constructor(url: string, cause: unknown) {
    super(`${url} ended before the file was complete; the server's log has the reason`, { cause });
  }
}

/** `fetch` reports only "fetch failed"; its cause has the reason. */
const reasonOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? error.cause : error;

const GraphqlAnswer = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).optional() }))
    .optional(),
  extensions: z.object({ warnings: z.array(z.string()).optional() }).optional(),
});

/**
 * The service to ask: the server at `url`, else the one that serves the data folder, else this process itself.
 * @param url base address of a server; undefined to look for one
 */
export async function openService(url: string | undefined, config: Config, terminal: Terminal): Promise<Service> {
  const server = url?.replace(/\/+$/, '') ?? (await findServer(config.TERRAQL_DATA_DIR));
  if (server !== null) return remoteService(server, await credentialFor(server, config), terminal);
  const viewer = { ...DEFAULT_VIEWER, workspace: config.TERRAQL_WORKSPACE };
  return localService(await startApp(config, commandLogLevel(config), terminal), viewer, terminal);
}

/** Headers with the credential: the key, otherwise the local administrator's secret if the server runs on this machine. */
async function credentialFor(server: string, config: Config): Promise<Record<string, string>> {
  const { TERRAQL_API_KEY: key, TERRAQL_DATA_DIR, TERRAQL_WORKSPACE } = config;
  if (key !== undefined) return { authorization: `Bearer ${key}` };
  const secret = await serverSecret(TERRAQL_DATA_DIR, server);
  if (secret === null) return {};
  return { authorization: `Bearer ${secret}`, 'terraql-workspace': TERRAQL_WORKSPACE };
}

/** Makes the application of this process. Its modules are loaded here, so that other commands start fast. */
export function startApp(config: Config, logLevel: string, terminal: Terminal): Promise<App> {
  return withProgress(terminal, 'Starting', async () => {
    const { createApp } = await import('../../app.ts');
    return createApp(config, createLogger(logLevel, traceFields));
  });
}

/** Log level of commands: warnings and worse, or more if the configuration is more verbose than the default. */
export function commandLogLevel({ TERRAQL_LOG_LEVEL }: Config): string {
  return TERRAQL_LOG_LEVEL === 'info' ? 'warn' : TERRAQL_LOG_LEVEL;
}

function remoteService(url: string, credential: Record<string, string>, terminal: Notes): Service {
  return {
    url,
    async ask(answer, document, variables) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...credential },
        body: JSON.stringify({ query: document, variables }),
      }).catch((cause: unknown) => {
        throw new ServerUnreachableError(url, cause);
      });
      const body: unknown = await response.json().catch(() => null);
      const parsed = GraphqlAnswer.safeParse(body);
      if (!parsed.success) throw new ServerUnreachableError(url, `status ${response.status} without a GraphQL answer`);
      noteWarnings(terminal, parsed.data);
      return dataOf(answer, parsed.data);
    },
    exportFeatures: (format, request) => remoteFile(`${url}/features.${format}`, request, credential),
    subscribe: (answer, document, variables) => remoteSubscription(url, answer, document, variables, credential),
    close: () => Promise.resolve(),
  };
}

async function* remoteSubscription<T>(
  url: string,
  answer: z.ZodType<T>,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  connectionParams: Record<string, string>,
): AsyncGenerator<T> {
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams,
  });
  try {
    for await (const answered of client.iterate({ query, variables: { ...variables } })) {
      yield dataOf(answer, GraphqlAnswer.parse(answered));
    }
  } catch (error) {
    // Errors of a rejected operation are an array, those of the connection an event.
    const refused = GraphqlAnswer.safeParse({ errors: error });
    if (refused.success) dataOf(answer, refused.data);
    throw error instanceof AppError ? error : new ServerUnreachableError(url, error);
  } finally {
    await client.dispose();
  }
}

const HttpRefusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

async function remoteFile(
  url: string,
  request: Readonly<Record<string, unknown>>,
  credential: Record<string, string>,
): Promise<FeatureFile> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...credential },
    body: JSON.stringify(request),
  }).catch((cause: unknown) => {
    throw new ServerUnreachableError(url, cause);
  });
  if (!response.ok || !response.body) {
    const refusal = HttpRefusal.safeParse(await response.json().catch(() => null));
    if (!refusal.success) throw new ServerUnreachableError(url, `status ${response.status} without a reason`);
    throw new RequestRefusedError(refusal.data.error.message, refusal.data.error.code);
  }
  const { body, headers } = response;
  const warning = headers.get('terraql-warning');
  return {
    featureCount: Number(headers.get('terraql-feature-count')),
    withoutGeoreference: Number(headers.get('terraql-features-left-out')),
    warnings: warning === null ? [] : [warning],
    async *pieces() {
      try {
        yield* body;
      } catch (cause) {
        throw new FileBrokenOffError(url, cause);
      }
    },
  };
}

/** Answers a viewer in this process; closing the service closes the application. */
export function localService(
  app: App,
  viewer: Viewer = DEFAULT_VIEWER,
  terminal: Notes = { note: () => undefined },
): Service {
  return {
    url: null,
    async ask(answer, document, variables) {
      const { body } = await app.graphql.executeOperation(
        { query: document, variables: { ...variables } },
        { contextValue: app.contextFor(viewer, '') },
      );
      if (body.kind !== 'single')
        throw new Error('The server answered the operation in parts, which is not supported.');
      // Through JSON, as over HTTP: answers hold dates and objects without a prototype.
      const answered = GraphqlAnswer.parse(JSON.parse(JSON.stringify(body.singleResult)));
      noteWarnings(terminal, answered);
      return dataOf(answer, answered);
    },
    exportFeatures: (format, request) =>
      app.servicesFor(viewer).exports.open(format, app.readFeatureRequest(JSON.parse(JSON.stringify(request)))),
    subscribe: (answer, document, variables) => localSubscription(app, viewer, answer, document, variables),
    close: () => app.close(),
  };
}

async function* localSubscription<T>(
  app: App,
  viewer: Viewer,
  answer: z.ZodType<T>,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): AsyncGenerator<T> {
  const checked = app.subscriptions.check({ query, variables: { ...variables } }, viewer, () =>
    app.contextFor(viewer, ''),
  );
  const answers = 'schema' in checked ? await app.subscriptions.subscribe(checked) : { errors: checked };
  for await (const answered of Symbol.asyncIterator in answers ? answers : [answers]) {
    yield dataOf(answer, GraphqlAnswer.parse(JSON.parse(JSON.stringify(answered))));
  }
}

/** Prints the warnings beside the answer. */
type Notes = Pick<Terminal, 'note'>;

function noteWarnings(terminal: Notes, { extensions }: z.infer<typeof GraphqlAnswer>): void {
  for (const warning of extensions?.warnings ?? []) terminal.note(warning);
}

function dataOf<T>(answer: z.ZodType<T>, { data, errors }: z.infer<typeof GraphqlAnswer>): T {
  if (errors?.[0]) {
    throw new RequestRefusedError(
      errors.map(({ message }) => message).join('; '),
      errors[0].extensions?.code ?? 'INTERNAL_SERVER_ERROR',
    );
  }
  return answer.parse(data);
}
