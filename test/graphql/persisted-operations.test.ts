import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PersistedManifestError, readPersistedOperations } from '../../src/graphql/server/persisted-operations.ts';
import { post, startServer } from './asked-server.ts';

const schema = buildSchema('type Query { one: Int two: Int }');
const BODY = 'query One { one }';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const byHash = (hash: string, query?: string) => ({
  ...(query === undefined ? {} : { query }),
  extensions: { persistedQuery: { version: 1, sha256Hash: hash } },
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-manifest-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function manifest(content: unknown): Promise<string> {
  const file = path.join(folder, `${sha256(JSON.stringify(content))}.json`);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}
const format = { format: 'apollo-persisted-query-manifest', version: 1 };

describe('an automatic persisted query', () => {
  it('is sent once as text and then by its hash', async () => {
    const server = await startServer(schema);
    const hash = sha256(BODY);
    expect((await post(server, byHash(hash))).errors?.[0]?.extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect((await post(server, byHash(hash, BODY))).data).toEqual({ one: null });
    expect((await post(server, byHash(hash))).data).toEqual({ one: null });
    await server.stop();
  });
});

describe('with a manifest', () => {
  const operations = [{ id: 'one-1', name: 'One', type: 'query', body: BODY }];

  it('only its operations are answered, by identifier or as text', async () => {
    const persisted = await readPersistedOperations(await manifest({ ...format, operations }));
    const server = await startServer(schema, { persisted });
    expect((await post(server, byHash('one-1'))).data).toEqual({ one: null });
    expect((await post(server, { query: BODY })).data).toEqual({ one: null });
    for (const body of [{ query: 'query Two { two }' }, byHash(sha256('{ two }'), '{ two }')]) {
      const { status, errors } = await post(server, body);
      expect([status, errors?.[0]?.extensions.code]).toEqual([400, 'OPERATION_NOT_PERSISTED']);
    }
    const unknown = byHash(sha256('{ two }'));
    expect((await post(server, unknown)).errors?.[0]?.extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND');
    await server.stop();
  });

  it.each([
    ['no JSON', '{', /not an Apollo manifest/],
    ['another format', { format: 'relay', version: 1, operations: [] }, /not an Apollo manifest .*: format /],
    ['an operation without text', { ...format, operations: [{ id: 'a', name: 'A' }] }, /operations\.0\.body/],
  ])('that has %s the service does not start', async (_what, content, message) => {
    const file = await manifest(content);
    await expect(readPersistedOperations(file)).rejects.toThrow(message);
    await expect(readPersistedOperations(file)).rejects.toThrow(PersistedManifestError);
  });

  it('that is not there the service does not start', async () => {
    await expect(readPersistedOperations('/nowhere.json')).rejects.toThrow(
      'TERRAQL_PERSISTED_OPERATIONS=/nowhere.json: ENOENT',
    );
  });
});
