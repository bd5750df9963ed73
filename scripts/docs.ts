// Writes the parts of the documentation that are made from the code; with --check, fails where one is stale.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { settingRows } from '../src/config.ts';
import { FEATURE_ATTRIBUTES } from '../src/feature/feature-record.ts';
import { SORTED_MEASURES } from '../src/feature/measures.ts';
import { ERROR_CODES } from '../src/error-codes.ts';
import { attributeTable } from './attribute-table.ts';
import { errorTable, undescribedCodes } from './error-table.ts';
import { layerTable } from './fence.ts';
import { LAYERS } from './layers.ts';
import { withPart } from './marked-part.ts';
import { settingTable } from './setting-table.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const PARTS = [
  { page: 'docs/architecture.md', name: 'layers', part: layerTable(LAYERS) },
  { page: 'docs/integrations.md', name: 'attributes', part: attributeTable(FEATURE_ATTRIBUTES, SORTED_MEASURES) },
  { page: 'docs/errors.md', name: 'errors', part: errorTable(ERROR_CODES) },
  { page: 'docs/deployment.md', name: 'settings', part: settingTable(settingRows()) },
];

const stale = PARTS.filter(({ page, name, part }) => {
  const file = path.join(ROOT, page);
  const written = readFileSync(file, 'utf8');
  const fresh = withPart(written, name, part);
  if (fresh === written) return false;
  if (!process.argv.includes('--check')) writeFileSync(file, fresh);
  return true;
});
if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`run \`npm run docs\`: stale are ${stale.map(({ page, name }) => `${name} in ${page}`).join(', ')}`);
  process.exit(1);
}

const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const undescribed = new Set(sources.flatMap((file) => undescribedCodes(path.join(ROOT, 'src', file))));
if (undescribed.size > 0) {
  console.error(`src/error-codes.ts does not describe ${[...undescribed].join(', ')}`);
  process.exit(1);
}
