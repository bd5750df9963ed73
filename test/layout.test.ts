import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Fence, layerTable, twoWayPairs, violations } from '../scripts/fence.ts';
import { arrowsOf, importsOf, readSources, type SourceFile } from '../scripts/folder-graph.ts';
import { LAYERS } from '../scripts/layers.ts';
import { DASHBOARD, LARGE_FOLDERS, MAX_FILES, TWO_WAY } from '../scripts/layout-rules.ts';
import { RESERVED } from '../scripts/reserved-packages.ts';
import { withPart } from '../scripts/marked-part.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

describe('the source folders', () => {
  const all = readSources(path.join(ROOT, 'src'));
  const isDashboard = ({ file }: SourceFile): boolean => file.startsWith(DASHBOARD);
  const sources = all.filter((source) => !isDashboard(source));

  it('of the dashboard know the service by its API alone', () => {
    const dashboard = all.filter(isDashboard);
    expect(dashboard.length).toBeGreaterThan(0);
    expect(dashboard.filter(({ files }) => files.some((file) => !file.startsWith(DASHBOARD)))).toEqual([]);
    expect(sources.filter(({ files }) => files.some((file) => file.startsWith(DASHBOARD)))).toEqual([]);
  });

  it('import each other only as the table of layers allows', () => {
    console.log(layerTable(LAYERS));
    const fence = { layers: LAYERS, twoWay: TWO_WAY, reserved: RESERVED };
    expect(violations(sources, { ...fence, maxFiles: MAX_FILES, largeFolders: LARGE_FOLDERS })).toEqual([]);
  });

  it('import each other one way', () => {
    expect(twoWayPairs(arrowsOf(sources))).toEqual(TWO_WAY.map((pair) => pair.join(' and ')));
  });

  it('are found whole: every row of the table has files, and many arrows', () => {
    const rows = LAYERS.filter(({ name }) => sources.some(({ file }) => file === name || file.startsWith(`${name}/`)));
    expect(rows).toEqual(LAYERS);
    expect(arrowsOf(sources).length).toBeGreaterThan(LAYERS.length);
  });

  it('stand in docs/architecture.md as the table has them', () => {
    const page = readFileSync(path.join(ROOT, 'docs', 'architecture.md'), 'utf8');
    expect(page).toBe(withPart(page, 'layers', layerTable(LAYERS)));
  });
});

describe('the imports of a file', () => {
  it.each([
    ["import { a } from './a.ts';", './a.ts'],
    ["import './a.ts';", './a.ts'],
    ["import type { A } from './a.ts';", './a.ts'],
    ["import { type A } from './a.ts';", './a.ts'],
    ["export { a } from './a.ts';", './a.ts'],
    ["export * from './a.ts';", './a.ts'],
    ["export type { A } from './a.ts';", './a.ts'],
    ["const a = await import('./a.ts');", './a.ts'],
    ["let a: import('./a.ts').A;", './a.ts'],
    ["function f(a: typeof import('./a.ts')) {}", './a.ts'],
    ["new Worker(new URL('./a.ts', import.meta.url));", './a.ts'],
  ])('are found in %s', (text, specifier) => {
    expect(importsOf('b.ts', text)).toEqual([specifier]);
  });

  it('are no texts and comments that look like one', () => {
    expect(importsOf('b.ts', "// import './a.ts'\nconst a = \"import './a.ts'\"; new URL('./a', base);")).toEqual([]);
  });

  it('are refused where the file does not parse', () => {
    expect(() => importsOf('b.ts', 'import {')).toThrow('b.ts');
  });
});

describe('the fence', () => {
  const fence: Fence = {
    layers: [
      { name: 'top', holds: '', imports: ['low'] },
      { name: 'low', holds: '', imports: [], pure: true },
    ],
    twoWay: [],
    reserved: [{ packages: ['graphql', '@apollo/'], layers: ['top'] }],
    maxFiles: 2,
    largeFolders: [],
  };
  const source = (file: string, files: string[], packages: string[] = []): SourceFile => ({ file, files, packages });
  /** Uses every permission of the fence. */
  const user = source('top/user.ts', ['low/b.ts'], ['graphql']);

  it('lets downward imports pass', () => {
    const sources = [source('top/a.ts', ['low/b.ts', 'errors.ts'], ['graphql']), source('low/b.ts', ['errors.ts'])];
    expect(violations(sources, fence)).toEqual([]);
  });

  it.each([
    ['an upward import', source('low/b.ts', ['top/a.ts']), 'low may not import top: low/b.ts -> top/a.ts'],
    ['a folder without a row', source('new/b.ts', ['low/a.ts']), 'new/ has no row in the table of layers'],
    ['an import of a folder without a row', source('top/b.ts', ['new/a.ts']), 'top may not import new'],
    ['a root file that knows a folder', source('page.ts', ['low/a.ts']), 'page.ts stands at the root without a row'],
    ['a pure folder that knows the settings', source('low/b.ts', ['config.ts']), 'low is pure and imports config.ts'],
    ['a pure folder that reads files', source('low/b.ts', [], ['node:fs']), 'low/b.ts imports node:fs'],
    ['a reserved package', source('low/b.ts', [], ['graphql']), 'low/b.ts imports graphql, which only top may'],
    ['a package of a reserved scope', source('low/b.ts', [], ['@apollo/server']), 'which only top may'],
    ['a service that knows SQL', source('top/a.service.ts', ['top/a.repository.ts']), 'SQL stands behind a port'],
  ])('refuses %s', (_what, planted, message) => {
    expect(violations([user, planted], fence)).toEqual([expect.stringContaining(message)]);
  });

  it('refuses a crowded folder', () => {
    const sources = [user, ...['a', 'b'].map((name) => source(`top/${name}.ts`, []))];
    expect(violations(sources, fence)).toEqual(['top/ holds 3 files; the limit is 2']);
    expect(violations(sources, { ...fence, largeFolders: ['top'] })).toEqual([]);
  });

  it('refuses a table whose rows point upwards, and an exception that nothing needs', () => {
    const layers = [
      { name: 'top', holds: '', imports: [] },
      { name: 'low', holds: '', imports: ['top'] },
    ];
    const upward = source('low/b.ts', ['top/user.ts']);
    expect(violations([upward], { ...fence, layers, reserved: [] })).toEqual([
      expect.stringContaining('lets low import top'),
    ]);
    expect(violations([user], { ...fence, twoWay: [['top', 'low']] })).toEqual([expect.stringContaining('TWO_WAY')]);
  });

  it('refuses a permission that no import uses', () => {
    const idle = source('top/idle.ts', []);
    expect(violations([idle], fence)).toEqual([
      'top no longer imports low: take it out of the table',
      'top no longer imports graphql, @apollo/: take it out of RESERVED',
    ]);
  });

  it('names each pair that imports each other once', () => {
    const arrows = arrowsOf([source('top/a.ts', ['low/b.ts']), source('low/b.ts', ['top/a.ts'])]);
    expect(twoWayPairs(arrows)).toEqual(['low and top']);
  });
});
