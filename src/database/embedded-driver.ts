import type { Driver, Statements } from './driver.ts';
import type { EmbeddedClient } from './engine-client.ts';

/** Statements of a client of the embedded engine. */
export function embeddedDriver(client: Pick<EmbeddedClient, 'query' | 'transaction'>): Driver {
  return {
    ...statementsOn(client),
    transaction: (work) => client.transaction((inner) => work(statementsOn(inner))),
  };
}

function statementsOn(client: Pick<EmbeddedClient, 'query'>): Statements {
  return {
    read: async ({ text, values }) => (await client.query(text, values)).rows,
    execute: async ({ text, values }) => (await client.query(text, values)).affectedRows ?? 0,
    foreign: async (text, values) => (await client.query<object>(text, [...values])).rows,
  };
}
