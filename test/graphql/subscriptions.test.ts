import 'reflect-metadata';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { PersistedOperations } from '../../src/graphql/server/persisted-operations.ts';
import { Subscriptions } from '../../src/graphql/server/subscriptions.ts';
import { NO_RATES } from './asked-server.ts';
import { DEFAULT_VIEWER } from '../../src/identity/viewer.ts';
import { createLogger } from '../../src/logging.ts';

const schema = buildSchema('type Query { one: Int } type Subscription { tick: Int }');
const TICK = 'subscription Tick { tick }';
const options = {
  maxDepth: 12,
  maxAliases: 30,
  maxCost: 1000,
  production: false,
  rates: NO_RATES,
  refusals: { forbidden: () => undefined },
};

/** Codes of the reasons for which a subscription is refused; none when it is not. */
function refusals(query: string, persisted: PersistedOperations | null): unknown[] {
  const checked = new Subscriptions(schema, { ...options, persisted }, createLogger('silent')).check(
    { query },
    DEFAULT_VIEWER,
    () => {
      throw new Error('a check needs no context');
    },
  );
  return 'schema' in checked ? [] : checked.map(({ extensions }) => extensions['code']);
}

describe('a subscription', () => {
  it('is refused where it is not in the manifest', () => {
    const persisted = new PersistedOperations(new Map([['tick-1', TICK]]));
    expect(refusals(TICK, persisted)).toEqual([]);
    expect(refusals('subscription { tick }', persisted)).toEqual(['OPERATION_NOT_PERSISTED']);
    expect(refusals('subscription { tick }', null)).toEqual([]);
  });

  it.each([
    ['is no subscription', '{ one }', 'NOT_SUBSCRIPTION'],
    ['does not parse', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
    ['asks for a field that there is not', 'subscription { tock }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('is refused when it %s', (_what, query, code) => {
    expect(refusals(query, null)).toEqual([code]);
  });
});
