import { parentPort, workerData } from 'node:worker_threads';
import { messages, PGlite, types } from '@electric-sql/pglite';
import { embeddedExtensions } from './embedded-extensions.ts';
import { servingSql } from './row-security.ts';

/** What the thread is started with. */
export interface EngineSetup {
  /** Folder of the database. */
  readonly dataDir: string;
  /** Bundle of PostGIS. */
  readonly bundle: string;
}

/** Whom a statement serves: a workspace, or null for the owner of the tables. */
export type Served = string | null;

/** A statement with parameters, a script without, or the request to end. */
export type EngineRequest =
  | {
      readonly id: number;
      readonly kind: 'query';
      readonly served: Served;
      readonly sql: string;
      readonly params: unknown[];
      readonly asArrays: boolean;
    }
  | { readonly id: number; readonly kind: 'exec'; readonly served: Served; readonly sql: string }
  | { readonly id: number; readonly kind: 'close' };

/** Rows with every value as the text that PostgreSQL sends; `command` is missing when the statement did not complete. */
export interface RawResults {
  readonly rows: unknown[];
  readonly fields: { name: string; dataTypeID: number }[];
  readonly affectedRows?: number;
  readonly command?: string;
}

/** An error of PostgreSQL, with the fields of its protocol. */
export type DatabaseErrorFields = Readonly<Record<string, unknown>> & { readonly message: string };

export type EngineReply =
  /** @param arrays array types with the types of their elements, by object identifier */
  | { readonly kind: 'ready'; readonly arrays: readonly (readonly [number, number])[] }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'results'; readonly id: number; readonly results: RawResults[] }
  | { readonly kind: 'error'; readonly id: number; readonly error: DatabaseErrorFields }
  /** Something other than PostgreSQL failed: the engine may be broken, and is not used again. */
  | { readonly kind: 'broken'; readonly id: number; readonly message: string }
  | { readonly kind: 'notification'; readonly channel: string; readonly payload: string };

/** Pages that the engine keeps; the default of 128 MB is held from the start, and files are in the system's cache as well. */
const SHARED_BUFFERS = '32MB';

const port = parentPort!;
const reply = (message: EngineReply): void => port.postMessage(message);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function run(pglite: PGlite, request: EngineRequest): Promise<RawResults[]> {
  if (request.kind === 'close') {
    await pglite.close();
    return [];
  }
  await serve(pglite, request.served);
  if (request.kind === 'exec') return pglite.exec(request.sql);
  const rowMode = request.asArrays ? 'array' : 'object';
  return [await pglite.query<unknown>(request.sql, request.params, { rowMode })];
}

/** Whom the connection is set for. */
let current: Served = null;

/** Sets the connection for another, when it is. */
async function serve(pglite: PGlite, served: Served): Promise<void> {
  if (served === current) return;
  await pglite.query(...servingSql(served));
  current = served;
}

async function answer(pglite: PGlite, request: EngineRequest): Promise<void> {
  const { id } = request;
  try {
    reply({ kind: 'results', id, results: await run(pglite, request) });
  } catch (error) {
    if (error instanceof messages.DatabaseError) {
      reply({ kind: 'error', id, error: { ...plainFields(error), message: error.message } });
    } else {
      reply({ kind: 'broken', id, message: messageOf(error) });
    }
  }
  if (request.kind === 'close') port.close();
}

/** What of an error can be sent to another thread. */
function plainFields(error: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(error).filter(([, value]) => ['string', 'number', 'undefined'].includes(typeof value)),
  );
}

/** Values go to the other thread as text and are parsed there on request. */
function leaveUnparsed(pglite: PGlite): void {
  const asText = (value: string): string => value;
  for (const oid of [...Object.keys(types.parsers), ...Object.keys(pglite.parsers)])
    pglite.parsers[Number(oid)] = asText;
}

async function arrayTypes(pglite: PGlite): Promise<[number, number][]> {
  const { rows } = await pglite.query<{ element: number; array: number }>(
    'SELECT oid::int AS element, typarray::int AS array FROM pg_type WHERE typarray <> 0',
  );
  return rows.map(({ element, array }) => [array, element]);
}

try {
  const { dataDir, bundle } = workerData as EngineSetup;
  const startParams = [...PGlite.defaultStartParams, '-c', `shared_buffers=${SHARED_BUFFERS}`];
  const pglite = await PGlite.create({ dataDir, startParams, extensions: { ...embeddedExtensions(bundle) } });
  const arrays = await arrayTypes(pglite);
  leaveUnparsed(pglite);
  pglite.onNotification((channel, payload) => reply({ kind: 'notification', channel, payload }));
  let turn = Promise.resolve();
  port.on('message', (request: EngineRequest) => {
    turn = turn.then(() => answer(pglite, request));
  });
  reply({ kind: 'ready', arrays });
} catch (error) {
  reply({ kind: 'refused', message: messageOf(error) });
  port.close();
}
