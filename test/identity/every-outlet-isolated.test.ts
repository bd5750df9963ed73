import { setTimeout as wait } from 'node:timers/promises';
import { type AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';
import { uuidV7 } from '../../src/database/sql/identifier.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { createHttpServer, createRouter } from '../../src/http/http-server.ts';
import { Outlet } from '../../src/http/outlet.ts';
import type { Viewer } from '../../src/identity/viewer.ts';
import { openTestApp, type TestApp } from '../api/test-app.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { exampleOperations, ID_KINDS, type ExampleOperation, type Ids } from './example-operations.ts';
import { storedSecrets, type Secrets } from './stored-secrets.ts';
import { onlyRowSecurity, onlyScope, WORKSPACE_ROWS } from './walls.ts';

/** A subscription without an answer for so long has none to give. */
const SILENT_MS = 500;
/** Routes that tell of the process, and none of what is stored; the second is for commands on the machine alone. */
const OF_THE_PROCESS: readonly string[] = ['/metrics', '/workspaces'];
/** Subscriptions that are silent until something happens, whatever they ask for. */
const OF_NEW_EVENTS = /^subscription (featuresAdded|segmentationsChanged)\b/;
const OPERATIONS = exampleOperations(buildSchema());
const WALLS: readonly (readonly [string, (database: Database) => Database])[] = [
  ['both walls', (database) => database],
  ['the scope of statements switched off', onlyRowSecurity],
  ['row-level security switched off', onlyScope],
];

/** Known to every workspace. */
const MODEL = 'brightness';
const OWNER: Viewer = { workspace: 'default', subject: 'owner', role: 'admin' };
const OTHER: Viewer = { workspace: 'other', subject: 'stranger', role: 'admin' };
const NONE = Object.fromEntries(
  ID_KINDS.map((kind) => [kind, kind === 'slug' ? 'no-such-view' : kind === 'model' ? MODEL : uuidV7()]),
) as Ids;

/** What two answers must share: identifiers that were given, those that were made, times and own counters may differ. */
function shape(text: string, given: Ids): string {
  const named = Object.entries(given).reduce((rest, [kind, id]) => rest.replaceAll(id, `<${kind}>`), text);
  return named
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<made>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/"cursor":"\d+-0-\d+"/g, '"cursor":"<now>"')
    .replaceAll(/"(used|available|requests|cost|bytesSent)":[\d.e+]+/g, '"$1":<count>')
    .replaceAll(/token=[\w-]+|tql_[\w-]+|signature=[\w.-]+/g, '<secret>');
}

describe.each(WALLS)('with %s, another workspace', (_walls, walled) => {
  let test: TestApp;
  let ids: Ids;
  let secrets: Secrets;
  let server: Server;
  let rowsBefore: string;
  let rows: () => Promise<string>;

  beforeAll(async () => {
    const database = await openTestDatabase();
    await database.execute(Prisma.sql`INSERT INTO workspace (id, name) VALUES ('other', 'Other')`);
    const environment = {
      TERRAQL_AUTH: 'required',
      TERRAQL_MAX_COST: '1000000000',
      TERRAQL_MAX_ALIASES: '1000',
      TERRAQL_WORKER: 'off',
    };
    test = await openTestApp(environment, async () => walled(database));
    secrets = await storedSecrets(database, test.app.servicesFor(OWNER), MODEL);
    ids = secrets.ids;
    rows = async () => JSON.stringify(await database.query(z.object({ text: z.string() }), WORKSPACE_ROWS('default')));
    rowsBefore = await rows();
    server = createHttpServer(test.app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.close();
    await test.close();
  });

  const answerTo = async (viewer: Viewer, operation: ExampleOperation, given: Ids): Promise<string> => {
    const variables = { ...operation.variables(given) };
    const contextValue = test.app.contextFor(viewer, 'http://terraql.test');
    if (operation.root === 'subscription') {
      const checked = test.app.subscriptions.check({ query: operation.query, variables }, viewer, () =>
        test.app.contextFor(viewer, 'http://terraql.test'),
      );
      if (!('schema' in checked)) return JSON.stringify(checked);
      const answers = await test.app.subscriptions.subscribe(checked);
      if (!('next' in answers)) return JSON.stringify(answers);
      // What tells of new events alone stays silent here.
      const first = await Promise.race([answers.next(), wait(SILENT_MS, { value: null })]);
      void answers.return?.();
      return JSON.stringify(first.value);
    }
    const { body } = await test.app.graphql.executeOperation({ query: operation.query, variables }, { contextValue });
    if (body.kind !== 'single') throw new Error('an incremental answer');
    const { data, errors } = body.singleResult;
    return JSON.stringify({ data, errors: errors?.map(({ message, extensions }) => [message, extensions?.['code']]) });
  };

  // Before the operations, among which the stranger makes a view of the same name.
  it('gets the same answer from every route as for missing objects', async () => {
    const key = await test.app.servicesFor(OTHER).apiKeys.create({ name: 'stranger', role: 'admin', expiresAt: null });
    const outlet = new Outlet(test.app);
    createRouter(test.app, outlet);
    const { port } = server.address() as AddressInfo;
    const asked = async (path: string, method: string): Promise<string> => {
      const body = method === 'GET' ? {} : { body: '{}' };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: { authorization: `Bearer ${key.secret}`, 'content-type': 'application/json' },
        ...body,
      });
      return `${response.status} ${await response.text()}`;
    };
    for (const { path, methods, role } of outlet.rules) {
      if (role === 'anyone' || path === '/graphql') continue;
      for (const method of methods) {
        const foreign = await asked(pathOf(path, ids), method);
        const unknown = await asked(pathOf(path, NONE), method);
        for (const secret of secrets.texts) {
          if (!pathOf(path, ids).includes(secret)) expect(foreign, path).not.toContain(secret);
        }
        if (OF_THE_PROCESS.includes(path)) continue;
        expect(shape(foreign, ids), `${method} ${path}`).toBe(shape(unknown, NONE));
        expect(foreign, path).not.toMatch(/^(401|403|5)/);
      }
    }
  });

  it.each(OPERATIONS.map((operation) => [operation.title, operation] as const))(
    'is told nothing by %s',
    async (_title, operation) => {
      const [foreign, unknown] = [await answerTo(OTHER, operation, ids), await answerTo(OTHER, operation, NONE)];
      const given = JSON.stringify(operation.variables(ids));
      for (const secret of secrets.texts) if (!given.includes(secret)) expect(foreign).not.toContain(secret);
      const { data: _data, ...refusals } = (JSON.parse(foreign) ?? {}) as { data?: unknown };
      expect(JSON.stringify(refusals)).not.toMatch(/FORBIDDEN|GRAPHQL_VALIDATION_FAILED|INTERNAL_SERVER_ERROR/);
      expect(shape(foreign, ids)).toBe(shape(unknown, NONE));
    },
  );

  it('changes nothing', async () => {
    expect(await rows()).toBe(rowsBefore);
  });

  it('is the reason why the owner gets more', async () => {
    const told = new Set<string>();
    for (const operation of OPERATIONS.filter(({ root }) => root !== 'mutation')) {
      const answer = await answerTo(OWNER, operation, ids);
      for (const secret of secrets.texts) if (answer.includes(secret)) told.add(secret);
      if (!operation.givesId || OF_NEW_EVENTS.test(operation.title)) continue;
      expect(shape(answer, ids), operation.title).not.toBe(shape(await answerTo(OWNER, operation, NONE), NONE));
    }
    expect([...told].toSorted()).toEqual([...secrets.texts].toSorted());
  });
});

/** A path with its parameters: what it identifies, and the tile around the example. */
function pathOf(path: string, ids: Ids): string {
  const named: readonly (readonly [part: string, id: string])[] = [
    ['segmentations', ids.segmentation],
    ['jobs', ids.segmentation],
    ['uploads', ids.upload],
    ['exports', ids.export],
  ];
  const of = named.find(([part]) => path.includes(part))?.[1] ?? ids.scene;
  const values: Readonly<Record<string, string>> = {
    id: of,
    jobId: of,
    itemId: ids.feature,
    collectionId: 'features',
    tileMatrixSetId: 'WebMercatorQuad',
    processId: 'segment',
    name: 'features.csv',
    format: 'geojson',
    z: '10',
    x: '541',
    y: '346',
    file: '346.png',
  };
  const filled = path.replaceAll(/:([a-zA-Z]+)/g, (_all, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`what is :${name} of ${path}? Add it to this test`);
    return value;
  });
  return path.includes('uploads') ? `${filled}?token=x` : filled;
}
