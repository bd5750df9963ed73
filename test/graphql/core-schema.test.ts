import { readFile } from 'node:fs/promises';
import { buildSchema as parseSchema, findBreakingChanges } from 'graphql';
import { expect, it } from 'vitest';
import { buildSchema } from '../../src/graphql/schema.ts';

const file = (name: string) => readFile(new URL(`../../schema/${name}`, import.meta.url), 'utf8');

/** Parts of the core that are agreed and not served yet. */
const NOT_YET: readonly string[] = [];

it('keeps every name, type and default of the core that clients rely on', async () => {
  const changes = findBreakingChanges(parseSchema(await file('core.graphql')), buildSchema());
  expect(changes.map(({ description }) => description).toSorted()).toEqual(NOT_YET);
});
