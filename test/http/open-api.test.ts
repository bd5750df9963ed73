import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEATURE_REQUEST_MEMBERS } from '../../src/graphql/feature-request.ts';
import { createRouter } from '../../src/http/http-server.ts';
import { Outlet } from '../../src/http/outlet.ts';
import { openServedApp, type ServedApp } from './served-app.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: unknown;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

let test: ServedApp;
let document: Document;

beforeAll(async () => {
  test = await openServedApp();
  document = (await (await fetch(`${test.url}/openapi.json`)).json()) as Document;
});
afterAll(() => test.close());

const operations = (): [template: string, method: string, Operation][] =>
  Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [template, method, operation]),
  );

describe('/openapi.json', () => {
  it('is OpenAPI 3.1', async () => {
    expect(document.openapi).toBe('3.1.0');
    expect(await new Validator().validate({ ...document })).toEqual({ valid: true });
  });

  it('has each route and method of the service, and no other', () => {
    const outlet = new Outlet(test.app);
    createRouter(test.app, outlet);
    const declared = outlet.rules.flatMap(({ path, methods }) =>
      methods.map((method) => `${method} ${path === '/assets' ? '/assets/{}' : path.replace(/:\w+/g, '{}')}`),
    );
    const described = operations().map(([path, method]) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '{}')}`);
    expect(new Set(described)).toEqual(new Set(declared));
    expect(described.length).toBeGreaterThan(50);
  });

  it('names each operation once, declares the parameters of its path, and what it answers when it refuses', () => {
    const ids = operations().map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, , { parameters = [], responses, security }] of operations()) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(parameters.flatMap((parameter) => (parameter.in === 'path' ? parameter.name : []))).toEqual(named);
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(security ? ['400', '401', '403'] : ['400']));
    }
  });

  it('refers to schemas that there are, and has none that nothing refers to', () => {
    const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g);
    expect(new Set([...references].map(([, name]) => name))).toEqual(new Set(Object.keys(document.components.schemas)));
  });

  it('describes filters as the GraphQL schema does', () => {
    expect(document.components.schemas['FeatureFilter']).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: { and: { anyOf: [{ type: 'array' }, { type: 'null' }] } },
    });
  });

  it('is complete: other methods of an address are refused with those that it has', async () => {
    const addresses = operations().map(([path]) => path.replace(/\{\w+\}/g, '0'));
    const wrong: unknown[] = [];
    for (const address of new Set(addresses.filter((one) => !one.startsWith('/assets/')))) {
      const refused = await fetch(`${test.url}${address}`, { method: 'PATCH' });
      const { error } = (await refused.json()) as { error?: { code: string } };
      const offered = await fetch(`${test.url}${address}`, { method: 'OPTIONS' });
      const answered = [refused.status, error?.code, offered.status, refused.headers.get('allow')];
      if (!/^405,METHOD_NOT_ALLOWED,204,.*OPTIONS$/.test(answered.join())) wrong.push([address, answered]);
    }
    expect(wrong).toEqual([]);
  });

  it('gives features as files every parameter that they take, in the address and in the body', () => {
    const { get, post } = document.paths['/features.{format}']!;
    const namesOf = ({ parameters = [] }: Operation): string[] =>
      parameters.flatMap((parameter) => (parameter.in === 'query' ? parameter.name : []));
    expect(namesOf(get!).toSorted()).toEqual([...FEATURE_REQUEST_MEMBERS, 'view', 'r'].toSorted());
    expect(namesOf(post!)).toEqual(['view', 'r']);
    const { properties } = document.components.schemas['FeatureRequest'] as { properties: object };
    expect(Object.keys(properties).toSorted()).toEqual([...FEATURE_REQUEST_MEMBERS].toSorted());
  });
});
