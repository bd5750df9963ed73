// Writes the operations of the dashboard as a manifest, for services that answer none but known ones.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as generated from '../src/dashboard/generated/graphql.ts';

const FILE = path.resolve(import.meta.dirname, '../dist/dashboard/operations.json');

/** As the page sends them, to the letter. */
const operations = Object.entries(generated).flatMap(([name, document]) => {
  if (!name.endsWith('Document') || !(document instanceof generated.TypedDocumentString)) return [];
  const body = document.toString();
  const id = createHash('sha256').update(body).digest('hex');
  return [{ id, name: name.replace(/Document$/, ''), body }];
});
const manifest = { format: 'apollo-persisted-query-manifest', version: 1, operations };
writeFileSync(FILE, `${JSON.stringify(manifest, null, 2)}\n`);
