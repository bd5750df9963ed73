import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const read = (page: string): string => readFileSync(path.join(ROOT, page), 'utf8');
const markdownOf = (folder: string): string[] =>
  readdirSync(path.join(ROOT, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.posix.join(folder, file));
const DOCS = markdownOf('docs');
const PAGES = [...markdownOf('.'), ...DOCS, ...markdownOf('docs/adr')];

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!));
}

/** Relative links of a page that lead nowhere. */
function brokenLinks(page: string): string[] {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file, anchor] = link.split('#') as [string, string | undefined];
      const target = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
      if (!existsSync(path.join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
}

describe('the documentation', () => {
  it.each(PAGES)('%s links to files and headings that exist', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it.each(DOCS)('%s is linked from the README', (page) => {
    expect(read('README.md')).toContain(`](${page})`);
  });

  it.each(markdownOf('docs/adr'))('%s is linked from the architecture', (page) => {
    expect(read('docs/architecture.md')).toContain(`](${path.posix.relative('docs', page)})`);
  });

  it.each(PAGES)('%s names npm scripts that exist', (page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...read(page).matchAll(/npm run (?:-s |--silent )?([a-z][a-z:]*)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('shows in the README an operation as its file has it', () => {
    const [, operation] = /```graphql\n([\s\S]*?)```/.exec(read('README.md'))!;
    expect(read('schema/operations/04-floods-beside-water.graphql')).toContain(operation);
  });
});
