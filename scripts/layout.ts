// Checks the imports of src against the table of layers and prints the table, then the size of folders and files.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { arrowsOf, readSources, type SourceFile } from './folder-graph.ts';
import { filesOfFolders, layerTable, twoWayPairs, violations } from './fence.ts';
import { LAYERS } from './layers.ts';
import { DASHBOARD, LARGE_FOLDERS, MAX_FILES, TWO_WAY } from './layout-rules.ts';
import { RESERVED } from './reserved-packages.ts';

const SRC = path.resolve(import.meta.dirname, '..', 'src');

function sizes(sources: readonly SourceFile[]): string[] {
  const lines = sources
    .filter(({ file }) => !file.includes('generated'))
    .map(({ file }) => ({ file, count: readFileSync(path.join(SRC, file), 'utf8').split('\n').length - 1 }))
    .toSorted((a, b) => a.count - b.count);
  const [median, largest] = [lines[lines.length >> 1], lines.at(-1)];
  const folders = [...filesOfFolders(sources)].map(([folder, count]) => `${folder} ${count}`);
  return [
    `files a folder: ${folders.join(', ')}`,
    `lines a file: median ${median?.count}, largest ${largest?.count} (${largest?.file}), of ${lines.length} files`,
  ];
}

const sources = readSources(SRC).filter(({ file }) => !file.startsWith(DASHBOARD));
const pairs = twoWayPairs(arrowsOf(sources));
const found = violations(sources, {
  layers: LAYERS,
  twoWay: TWO_WAY,
  reserved: RESERVED,
  maxFiles: MAX_FILES,
  largeFolders: LARGE_FOLDERS,
});
if (found.length > 0) {
  console.error(
    [
      ...found,
      'The table of layers is scripts/layers.ts; docs/architecture.md, which `npm run docs` rewrites, shows it.',
    ].join('\n'),
  );
  process.exit(1);
}
if (!process.argv.includes('--check')) {
  console.log([layerTable(LAYERS), `layers that import each other: ${pairs.join(', ') || 'none'}`].join('\n\n'));
  console.log(sizes(sources).join('\n'));
}
