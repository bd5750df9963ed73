import type { Database } from '../../src/database/database.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { listen } from '../../src/http/listen.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { IMAGERY } from '../http/served-app.ts';

/** A link of a document. */
export interface TestLink {
  readonly href: string;
  readonly rel: string;
  readonly type: string;
  readonly templated?: boolean;
}

export interface TestFeature {
  readonly id: string;
  readonly bbox: readonly [number, number, number, number];
  readonly geometry: { readonly type: string; readonly coordinates: unknown };
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Everything that a document of OGC API may have. */
export interface TestDocument {
  readonly links: readonly TestLink[];
  readonly features: readonly TestFeature[];
  readonly numberMatched: number;
  readonly numberReturned: number;
  readonly collections: readonly (TestDocument & { readonly id: string; readonly title: string })[];
  readonly properties: Readonly<Record<string, Record<string, unknown>>>;
  readonly error?: { readonly code: string; readonly message: string };
  readonly [name: string]: unknown;
}

export interface ServedOgc extends TestApp {
  readonly database: Database;
  readonly url: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** The JSON of an answer, whatever its status. */
  read(path: string): Promise<TestDocument>;
}

/** The whole service on a free port. @param store fills the database */
export async function serveOgc(
  store: (database: Database) => Promise<unknown>,
  environment: Record<string, string> = {},
): Promise<ServedOgc> {
  const database = await openTestDatabase();
  await store(database);
  const test = await openTestApp({ TERRAQL_SCENE_ROOTS: IMAGERY, ...environment }, async () => database);
  const listening = await listen(createHttpServer(test.app), '127.0.0.1', 0);
  const { url } = listening;
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(path.startsWith('http') ? path : `${url}/ogc${path}`, { headers });
  return {
    ...test,
    database,
    url,
    get,
    read: async (path) => (await (await get(path)).json()) as TestDocument,
    async close() {
      await listening.stop(0);
      await test.close();
    },
  };
}

/** The address of a list of items with parameters. */
export function items(collection: string, parameters: Record<string, string | number> = {}): string {
  const query = new URLSearchParams(
    Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return `/collections/${collection}/items?${query.toString()}`;
}
