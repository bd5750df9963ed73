// Compares schema/schema.graphql with that of the last release; fails for a break that the changelog does not announce. With
// --release, what is there becomes the schema of the release.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { schemaBreaks, unannounced } from './schema-breaks.ts';

const at = (...parts: string[]): string => path.resolve(import.meta.dirname, '..', ...parts);
const read = (...parts: string[]): string => readFileSync(at(...parts), 'utf8');

const present = read('schema', 'schema.graphql');
if (process.argv.includes('--release')) {
  writeFileSync(at('schema', 'released.graphql'), present);
} else {
  const breaks = await schemaBreaks(read('schema', 'released.graphql'), present);
  const silent = unannounced(breaks, read('CHANGELOG.md'));
  for (const { path: place, message } of silent) {
    console.error(`schema break at ${place}: ${message}; deprecate it first, or name \`${place}\` in CHANGELOG.md`);
  }
  if (silent.length > 0) process.exit(1);
}
