import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/** A source file and what it imports, types included. */
export interface SourceFile {
  /** Path below the source folder, with forward slashes. */
  readonly file: string;
  /** Paths below the source folder; one that leaves it begins with `../`. */
  readonly files: readonly string[];
  /** Packages and `node:` modules, without what follows their name. */
  readonly packages: readonly string[];
}

/**
 * Every TypeScript file below a folder with its imports: `import`, `export … from`, `import()`, types written
 * `import('…').Name`, and files named by `new URL('./…', import.meta.url)`, as worker threads are.
 * @throws {Error} naming a file that does not parse
 */
export function readSources(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => /\.tsx?$/.test(file))
    .toSorted()
    .map((file) => sourceFile(file, readFileSync(path.join(folder, file), 'utf8')));
}

function sourceFile(file: string, text: string): SourceFile {
  const specifiers = importsOf(file, text);
  const isRelative = (specifier: string): boolean => specifier.startsWith('.');
  return {
    file,
    files: specifiers.filter(isRelative).map((specifier) => path.posix.join(path.posix.dirname(file), specifier)),
    packages: specifiers.filter((specifier) => !isRelative(specifier)).map(packageName),
  };
}

/** Module specifiers of a source text, each once. */
export function importsOf(file: string, text: string): string[] {
  const { program, module, errors } = parseSync(file, text);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  const found = new Set(module.staticImports.map(({ moduleRequest }) => moduleRequest.value));
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest } of entries) if (moduleRequest) found.add(moduleRequest.value);
  }
  const addText = (node: { type: string; value?: unknown }): void => {
    if (node.type === 'Literal' && typeof node.value === 'string') found.add(node.value);
  };
  new Visitor({
    ImportExpression: ({ source }) => addText(source),
    TSImportType: ({ source }) => addText(source),
    NewExpression: ({ callee, arguments: [target, base] }) => {
      if (callee.type === 'Identifier' && callee.name === 'URL' && target && base && isModuleUrl(base)) addText(target);
    },
  }).visit(program);
  return [...found];
}

function isModuleUrl(node: { type: string }): boolean {
  const { object, property } = node as { object?: { type: string }; property?: { name?: string } };
  return node.type === 'MemberExpression' && object?.type === 'MetaProperty' && property?.name === 'url';
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The folder that a file stands in, folders of generated code with all below them; of a file at the root, its own name. */
export function layerOf(file: string): string {
  const folder = path.posix.dirname(file).replace(/(^|\/)generated\/.*/, '$1generated');
  return folder === '.' ? file : folder;
}

/** An import from one layer into another. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** One import that makes it, `file -> file`. */
  readonly example: string;
}

/** Every pair of layers of which the first imports the second, once. */
export function arrowsOf(sources: readonly SourceFile[]): Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const { file, files } of sources) {
    for (const target of files) {
      const [from, to] = [layerOf(file), layerOf(target)];
      const key = `${from} ${to}`;
      if (from !== to && !arrows.has(key)) arrows.set(key, { from, to, example: `${file} -> ${target}` });
    }
  }
  return [...arrows.values()];
}
