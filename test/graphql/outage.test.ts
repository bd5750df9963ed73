import { HeaderMap } from '@apollo/server';
import { buildSchema, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { BadInputError, OutageError } from '../../src/errors.ts';
import { CONTEXT, startServer } from './asked-server.ts';
import { createContext } from '../../src/graphql/context.ts';

class AwayError extends OutageError {
  readonly code = 'DATABASE_UNAVAILABLE';
  override readonly retryAfterS = 7;
}

/** Asks a server whose fields answer, fail for an outage, or fail for the input. */
async function ask(query: string, accept: string) {
  const schema = buildSchema('type Query { whole: Int away: Int must: Int! wrong: Int }');
  const type = schema.getQueryType();
  const fields = isObjectType(type) ? type.getFields() : {};
  const fails = (error: Error) => () => Promise.reject(error);
  fields['whole']!.resolve = () => 1;
  fields['away']!.resolve = fails(new AwayError('away'));
  fields['must']!.resolve = fails(new AwayError('away'));
  fields['wrong']!.resolve = fails(new BadInputError('wrong'));
  const server = await startServer(schema);
  const headers = new HeaderMap([
    ['content-type', 'application/json'],
    ['accept', accept],
  ]);
  const {
    status,
    headers: answered,
    body,
  } = await server.executeHTTPGraphQLRequest({
    httpGraphQLRequest: { method: 'POST', headers, search: '', body: { query } },
    context: async () => createContext(CONTEXT),
  });
  await server.stop();
  return { status: status ?? 200, retryAfter: answered.get('retry-after'), body: 'string' in body ? body.string : '' };
}

describe.each(['application/json', 'application/graphql-response+json'])(
  'an outage, for a client that takes %s',
  (accept) => {
    it.each(['{ away }', '{ must }', '{ whole must }', '{ away wrong }'])(
      'is 503 when nothing was answered: %s',
      async (query) => {
        const { status, retryAfter, body } = await ask(query, accept);
        expect([status, retryAfter]).toEqual([503, '7']);
        expect(body).toContain('"extensions":{"code":"DATABASE_UNAVAILABLE","retryable":true,"retryAfterS":7}');
      },
    );

    it('leaves the status when a part was answered', async () => {
      const { status, retryAfter, body } = await ask('{ whole away }', accept);
      expect([status, retryAfter]).toEqual([200, undefined]);
      expect(JSON.parse(body)).toMatchObject({ data: { whole: 1, away: null }, errors: [{ message: 'away' }] });
    });

    it('is not every error', async () => {
      const { status, body } = await ask('{ wrong }', accept);
      expect(status).toBe(200);
      expect(body).not.toContain('retryable');
    });
  },
);
