import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ApolloServerPlugin } from '@apollo/server';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { parseJson } from '../../parse-json.ts';
import type { RequestContext } from '../context.ts';
import { refusal } from './format-error.ts';

/** The file of `TERRAQL_PERSISTED_OPERATIONS` is not a manifest. */
export class PersistedManifestError extends AppError {
  readonly code = 'PERSISTED_MANIFEST_INVALID';
}

/** An operation is not among those that the service was set up to answer. */
export class OperationNotPersistedError extends AppError {
  readonly code = 'OPERATION_NOT_PERSISTED';
  constructor(name: string | null) {
    super(
      `Operation ${name ?? 'without a name'} is not in the manifest of persisted operations, and this service answers no others.`,
    );
  }
}

/** What `generate-persisted-query-manifest` of Apollo writes. */
const Manifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string().min(1), name: z.string(), body: z.string().min(1) })),
});

/** The operations of a manifest. */
export class PersistedOperations {
  private readonly texts: ReadonlySet<string>;

  /** @param byId texts by their identifiers */
  constructor(private readonly byId: ReadonlyMap<string, string>) {
    this.texts = new Set(byId.values());
  }

  get entries(): ReadonlyMap<string, string> {
    return this.byId;
  }

  text(id: string): string | undefined {
    return this.byId.get(id);
  }

  /** @param name of the operation, null where it has none @returns why its text is not answered; null when it is */
  refusalOf(text: string, name: string | null): OperationNotPersistedError | null {
    return this.texts.has(text) ? null : new OperationNotPersistedError(name);
  }
}

/**
 * @param file Apollo's manifest of persisted operations, JSON
 * @throws {PersistedManifestError}
 * @see https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format
 */
export async function readPersistedOperations(file: string): Promise<PersistedOperations> {
  const refused = (reason: string, cause?: unknown): PersistedManifestError =>
    new PersistedManifestError(`TERRAQL_PERSISTED_OPERATIONS=${file}: ${reason}`, { cause });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw refused(error instanceof Error ? error.message : String(error), error);
  });
  const parsed = Manifest.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(`not an Apollo manifest of persisted operations: ${issue?.path.join('.')} ${issue?.message}`);
  }
  return new PersistedOperations(new Map(parsed.data.operations.map(({ id, body }) => [id, body])));
}

/** The operations of several manifests. */
function mergedOperations(all: readonly PersistedOperations[]): PersistedOperations {
  return new PersistedOperations(new Map(all.flatMap(({ entries }) => [...entries])));
}

/** Apollo's own prefix of the keys under which it looks persisted operations up. */
const KEY_PREFIX = /^apq:/;

/** The manifest as the store that Apollo looks `extensions.persistedQuery.sha256Hash` up in; clients add nothing to it. */
export function persistedOperationsCache(operations: PersistedOperations) {
  return {
    get: async (key: string) => operations.text(key.replace(KEY_PREFIX, '')),
    set: async () => undefined,
    delete: async () => false,
  };
}

/** Refuses every operation from the network that is not in the manifest, whether it was sent by identifier or as text. */
export function persistedOnlyPlugin(operations: PersistedOperations): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ request, source, operationName }) {
          const refused = request.http ? operations.refusalOf(source, operationName) : null;
          if (refused) throw refusal(refused);
        },
      };
    },
  };
}

/** Written with the dashboard: its own operations, which are always answered. */
const DASHBOARD_OPERATIONS = path.resolve(import.meta.dirname, '../../../dist/dashboard/operations.json');

/** The operations of a manifest, and those of the dashboard where it is built. */
export async function knownOperations(manifest: string): Promise<PersistedOperations> {
  const own = existsSync(DASHBOARD_OPERATIONS) ? [await readPersistedOperations(DASHBOARD_OPERATIONS)] : [];
  return mergedOperations([await readPersistedOperations(manifest), ...own]);
}
