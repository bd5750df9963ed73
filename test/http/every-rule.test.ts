import { setTimeout as sleep } from 'node:timers/promises';
import type { Express } from 'express';
import {
  getNamedType,
  type GraphQLField,
  type GraphQLInputType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ruleOf } from '../../src/graphql/allowed-to.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { createRouter } from '../../src/http/http-server.ts';
import type { RouteRule } from '../../src/http/open-api/route-rule.ts';
import { Outlet } from '../../src/http/outlet.ts';
import { newSecret } from '../../src/identity/api-key.ts';
import { reaches, type Role, ROLES, type Rule } from '../../src/identity/viewer.ts';
import { Prisma } from '../../src/database/database.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openServedApp, type ServedApp } from './served-app.ts';

const WORKSPACE = 'default';
/** A subscription that is not refused for so long is allowed. */
const ALLOWED_MS = 500;
const schema = buildSchema();
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
  (root) => root ?? [],
);
const FIELDS = roots.flatMap((root) =>
  Object.values(root.getFields()).map((field) => ({
    kind: root.name.toLowerCase(),
    field,
    rule: ruleOf(root, field.name),
  })),
);

let test: ServedApp;
let router: Express;
let outlet: Outlet;
const keys: Record<string, string> = {};
/** Credentials that no outlet accepts, with what it says of them. */
const REFUSED = ['none', 'forged', 'expired', 'revoked', 'malformed'] as const;

beforeAll(async () => {
  const database = await openTestDatabase();
  test = await openServedApp({ TERRAQL_AUTH: 'required' }, async () => database);
  outlet = new Outlet(test.app);
  router = createRouter(test.app, outlet);
  const { apiKeys } = test.app.servicesFor({ workspace: WORKSPACE, subject: 'test', role: 'admin' });
  for (const role of ROLES) keys[role] = (await apiKeys.create({ name: role, role, expiresAt: null })).secret;
  const revoked = await apiKeys.create({ name: 'revoked', role: 'admin', expiresAt: null });
  await apiKeys.revoke(revoked.key.id);
  const expired = await apiKeys.create({ name: 'expired', role: 'admin', expiresAt: new Date(Date.now() + 60_000) });
  await database.execute(
    Prisma.sql`UPDATE api_key SET expires_at = '2020-01-01T00:00:00Z' WHERE id = ${expired.key.id}::uuid`,
  );
  Object.assign(keys, { revoked: revoked.secret, expired: expired.secret, malformed: 'tql_short' });
  // Begins as a key that there is.
  keys['forged'] = keys['admin']!.slice(0, 12) + newSecret().slice(12);
});
afterAll(() => test.close());

const headersOf = (credential: string): Record<string, string> =>
  credential === 'none' ? {} : { authorization: `Bearer ${keys[credential]}` };

/** What a route or an operation must answer to a credential. */
function expected(credential: string, rule: Rule): 'passes' | 401 | 403 {
  if (rule === 'anyone') return 'passes';
  if ((REFUSED as readonly string[]).includes(credential)) return 401;
  return reaches(credential as Role, rule) ? 'passes' : 403;
}
const CREDENTIALS = [...REFUSED, ...ROLES];

interface RouterLayer {
  readonly route?: { readonly path: string };
  readonly handle: { readonly stack?: readonly RouterLayer[] };
}

function pathsOf(layers: readonly RouterLayer[]): string[] {
  return layers.flatMap(({ route, handle }) => [...(route ? [route.path] : []), ...pathsOf(handle.stack ?? [])]);
}

describe('the rule of a route', () => {
  it('is declared for every route of the service, where the route stands', () => {
    const paths = pathsOf((router as unknown as { router: { stack: RouterLayer[] } }).router.stack);
    const declared = new Set(outlet.rules.map(({ path }) => path));
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !declared.has(path))).toEqual([]);
  });

  it.each(CREDENTIALS)('holds for every route and method: %s', async (credential) => {
    const wrong: unknown[] = [];
    for (const rule of outlet.rules) {
      for (const method of rule.methods) {
        const response = await fetch(`${test.url}${addressOf(rule)}`, {
          method,
          headers: { ...headersOf(credential), 'apollo-require-preflight': '1', accept: acceptOf(rule) },
        });
        const body = await response.text();
        const wanted = expected(credential, rule.role);
        const passed = response.status !== 401 && response.status !== 403;
        if (wanted === 'passes' ? !passed : response.status !== wanted)
          wrong.push([method, rule, response.status, body]);
        if (response.status === 401) {
          expect(response.headers.get('www-authenticate')).toMatch(
            credential === 'none' ? /^Bearer realm="TerraQL"$/ : /^Bearer realm="TerraQL", error="invalid_token", /,
          );
          expect(body).toContain('"UNAUTHENTICATED"');
        }
        if (response.status === 403) expect(body).toMatch(`needs the role ${rule.role}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** GraphiQL and the API share an address. */
const acceptOf = ({ role }: RouteRule): string => (role === 'anyone' ? 'text/html' : '*/*');

/** An address of the route; there need be nothing behind it. */
function addressOf({ path, role }: RouteRule): string {
  const named = path
    .replace(/:format/, 'csv')
    .replace(/:z|:x|:y/g, '0')
    .replace(/:file/, '0.png');
  const address = named.replace(/:\w+/g, '01890000-0000-7000-8000-000000000000');
  return address === '/graphql' && role !== 'anyone' ? '/graphql?query=%7B__typename%7D' : address;
}

describe('the rule of an operation', () => {
  it('is declared for every query, mutation and subscription', () => {
    expect(FIELDS.filter(({ rule }) => !rule).map(({ field }) => field.name)).toEqual([]);
  });

  it.each(CREDENTIALS)('holds for every query and mutation: %s', async (credential) => {
    const wrong: unknown[] = [];
    for (const { kind, field, rule } of FIELDS) {
      if (kind === 'subscription') continue;
      const response = await fetch(`${test.url}/graphql`, {
        method: 'POST',
        headers: { ...headersOf(credential), 'content-type': 'application/json' },
        body: JSON.stringify({ query: `${kind} { ${callOf(field)} }` }),
      });
      const { errors = [] } = (await response.json()) as {
        errors?: { message: string; extensions: { code: string } }[];
      };
      const wanted = expected(credential, rule!);
      const codes = errors.map(({ extensions }) => extensions.code);
      const found = codes.includes('UNAUTHENTICATED') ? 401 : codes.includes('FORBIDDEN') ? 403 : 'passes';
      if (found !== wanted || (wanted !== 'passes' && response.status !== wanted))
        wrong.push([field.name, found, errors]);
      if (found === 'passes') expect(codes).not.toContain('GRAPHQL_VALIDATION_FAILED');
      if (found === 403) expect(errors[0]?.message).toContain(`needs the role ${rule}`);
    }
    expect(wrong).toEqual([]);
  });

  it('holds for fields in fragments, and nothing of the operation runs', async () => {
    const response = await fetch(`${test.url}/graphql`, {
      method: 'POST',
      headers: { ...headersOf('viewer'), 'content-type': 'application/json' },
      body: JSON.stringify({
        query: '{ scenes { totalCount } ...A } fragment A on Query { ... { ks: apiKeys { id } } }',
      }),
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it.each(CREDENTIALS)('holds for every subscription: %s', async (credential) => {
    for (const { kind, field, rule } of FIELDS) {
      if (kind !== 'subscription') continue;
      const client = createClient({
        url: `${test.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: headersOf(credential),
      });
      const wanted = expected(credential, rule!);
      const answered: Promise<unknown> = client
        .iterate({ query: `subscription { ${callOf(field)} }` })
        .next()
        .then(
          () => null,
          (error: unknown) => error,
        );
      // Where it is allowed there may be no event.
      const refused = wanted === 'passes' ? await Promise.race([answered, sleep(ALLOWED_MS, null)]) : await answered;
      await client.dispose();
      if (wanted === 401) expect(refused).toMatchObject({ code: 4401 });
      else if (wanted === 403) expect(refused).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      else expect(JSON.stringify(refused)).not.toMatch(/4401|FORBIDDEN|VALIDATION/);
    }
  });
});

/** The field with an argument for each that is required. */
function callOf({ name, args, type }: GraphQLField<unknown, unknown>): string {
  const given = args.flatMap((arg) =>
    isNonNullType(arg.type) && arg.defaultValue === undefined ? `${arg.name}: ${valueOf(arg.type)}` : [],
  );
  const call = given.length > 0 ? `${name}(${given.join(', ')})` : name;
  return isLeafType(getNamedType(type)) ? call : `${call} { __typename }`;
}

const SCALARS: Readonly<Record<string, string>> = {
  ID: '"01890000-0000-7000-8000-000000000000"',
  String: '"x"',
  Int: '1',
  Float: '1',
  Boolean: 'true',
  DateTime: '"2026-01-01T00:00:00Z"',
  JSON: '{}',
  GeoJSONGeometry: '{ type: "Point", coordinates: [0, 0] }',
};

function valueOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return valueOf(type.ofType);
  if (isListType(type)) return `[${valueOf(type.ofType)}]`;
  if (isInputObjectType(type)) {
    const all = Object.values(type.getFields());
    const required = all.filter((field) => isNonNullType(field.type) && field.defaultValue === undefined);
    const chosen = type.isOneOf ? all.slice(0, 1) : required;
    return `{ ${chosen.map((field) => `${field.name}: ${valueOf(field.type)}`).join(', ')} }`;
  }
  return 'getValues' in type ? String(type.getValues()[0]?.name) : (SCALARS[type.name] ?? '"x"');
}
