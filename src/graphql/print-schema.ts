import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildSchema } from './schema.ts';
import { schemaText } from './schema-text.ts';

const FILE = path.resolve(import.meta.dirname, '../../schema/schema.graphql');

/** Prints the schema to `schema/schema.graphql`; with `--check` fails when what is committed there is stale. */
const printed = schemaText(buildSchema());
if (!process.argv.includes('--check')) {
  await writeFile(FILE, printed);
} else if ((await readFile(FILE, 'utf8')) !== printed) {
  process.stderr.write('schema/schema.graphql is stale: run `npm run schema`\n');
  process.exitCode = 1;
}
