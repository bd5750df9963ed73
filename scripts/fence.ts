import { type Arrow, arrowsOf, layerOf, type SourceFile } from './folder-graph.ts';
import type { Layer } from './layout-rules.ts';

/** What the fence allows; the project's own is in `layers.ts`. */
export interface Fence {
  readonly layers: readonly Layer[];
  readonly twoWay: readonly (readonly [above: string, below: string])[];
  readonly reserved: readonly { readonly packages: readonly string[]; readonly layers: readonly string[] }[];
  readonly maxFiles: number;
  readonly largeFolders: readonly string[];
}

/** Everything in which sources and fence differ, as sentences; empty where they agree. */
export function violations(sources: readonly SourceFile[], fence: Fence): string[] {
  const arrows = arrowsOf(sources);
  return [
    ...upwardRows(fence),
    ...arrows.flatMap((arrow) => forbidden(arrow, fence) ?? []),
    ...unneeded(arrows, fence),
    ...unusedRows(arrows, fence),
    ...unusedReservations(sources, fence),
    ...sources.flatMap((source) => foreignPackages(source, fence)),
    ...sources.flatMap(roleImports),
    ...crowded(sources, fence),
  ];
}

/** Layers that import each other, above and below. */
export function twoWayPairs(arrows: readonly Arrow[]): string[] {
  const pairs = new Set(arrows.map(({ from, to }) => `${from} ${to}`));
  return arrows
    .filter(({ from, to }) => from < to && pairs.has(`${to} ${from}`))
    .map(({ from, to }) => `${from} and ${to}`);
}

/** Rows of the table itself: each names layers below it only. */
function upwardRows({ layers }: Fence): string[] {
  const ranks = new Map(layers.map(({ name }, rank) => [name, rank]));
  return layers.flatMap(({ name, imports }, rank) =>
    imports
      .filter((other) => (ranks.get(other) ?? -1) <= rank)
      .map((other) => `the table lets ${name} import ${other}, which is not a layer below it`),
  );
}

function forbidden({ from, to, example }: Arrow, { layers, twoWay }: Fence): string | undefined {
  const importer = layers.find(({ name }) => name === from);
  const isRootFile = (name: string): boolean => /\.tsx?$/.test(name);
  const target = layers.find(({ name }) => name === to);
  if (twoWay.some(([above, below]) => from === below && to === above)) return undefined;
  if (!importer && !isRootFile(from)) return `${from}/ has no row in the table of layers`;
  if (!target && isRootFile(to)) {
    if (importer?.pure && to !== 'errors.ts') return `${from} is pure and imports ${to}: ${example}`;
    return undefined;
  }
  if (!importer) return `${from} stands at the root without a row and imports ${to}: ${example}`;
  return importer.imports.includes(to) ? undefined : `${from} may not import ${to}: ${example}`;
}

/** An exception that is no longer needed is an open gate. */
function unneeded(arrows: readonly Arrow[], { twoWay }: Fence): string[] {
  return twoWay
    .filter(([above, below]) => !arrows.some(({ from, to }) => from === below && to === above))
    .map(([above, below]) => `${below} no longer imports ${above}: take the pair out of TWO_WAY`);
}

/** Layers that the table lets a layer import and that none of its files imports. */
function unusedRows(arrows: readonly Arrow[], { layers }: Fence): string[] {
  const used = new Set(arrows.map(({ from, to }) => `${from} ${to}`));
  return layers.flatMap(({ name, imports }) =>
    imports
      .filter((other) => !used.has(`${name} ${other}`))
      .map((other) => `${name} no longer imports ${other}: take it out of the table`),
  );
}

/** Layers that a reserved package is kept for and that do not import it. */
function unusedReservations(sources: readonly SourceFile[], { reserved }: Fence): string[] {
  return reserved.flatMap((row) =>
    row.layers
      .filter(
        (layer) =>
          !sources.some((one) => layerOf(one.file) === layer && one.packages.some((name) => names(row.packages, name))),
      )
      .map((layer) => `${layer} no longer imports ${row.packages.join(', ')}: take it out of RESERVED`),
  );
}

/** Whether a row of reserved packages names this one. */
function names(packages: readonly string[], name: string): boolean {
  return packages.some((entry) => (entry.endsWith('/') ? name.startsWith(entry) : name === entry));
}

function foreignPackages({ file, packages }: SourceFile, { layers, reserved }: Fence): string[] {
  const own = layerOf(file);
  const isPure = layers.some(({ name, pure }) => name === own && pure);
  return packages.flatMap((name) => {
    if (isPure && name.startsWith('node:')) return [`${file} imports ${name}, and ${own} is pure`];
    return reserved
      .filter((row) => names(row.packages, name))
      .filter((row) => !row.layers.includes(own))
      .map((row) => `${file} imports ${name}, which only ${row.layers.join(', ')} may`);
  });
}

/** A service knows ports and a resolver its service: neither imports SQL. */
function roleImports({ file, files }: SourceFile): string[] {
  if (!/\.(service|resolver|type)\.ts$/.test(file)) return [];
  return files
    .filter((target) => target.endsWith('.repository.ts') || target.startsWith('database/generated/'))
    .map((target) => `${file} imports ${target}: SQL stands behind a port`);
}

function crowded(sources: readonly SourceFile[], { maxFiles, largeFolders }: Fence): string[] {
  return [...filesOfFolders(sources)]
    .filter(([folder, count]) => count > maxFiles && !largeFolders.includes(folder))
    .map(([folder, count]) => `${folder}/ holds ${count} files; the limit is ${maxFiles}`);
}

/** Number of files directly in each folder, generated ones aside. */
export function filesOfFolders(sources: readonly SourceFile[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { file } of sources) {
    const folder = layerOf(file);
    if (folder !== file && !folder.includes('generated')) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}

/** The table of layers in Markdown. */
export function layerTable(layers: readonly Layer[]): string {
  const rows = layers.map(({ name, holds, imports }) => {
    const allowed = imports.length === 0 ? 'none of these' : imports.map((other) => `\`${other}\``).join(', ');
    return `| \`${name}\` | ${holds} | ${allowed} |`;
  });
  return ['| layer | holds | may import |', '|---|---|---|', ...rows].join('\n');
}
