/** Markers of a part of a page that a program writes. */
function markers(name: string): readonly [begin: string, end: string] {
  return [`<!-- ${name}: written by npm run docs -->`, `<!-- end of ${name} -->`];
}

/**
 * A page with the part between its markers replaced.
 * @throws {Error} where the page lacks a marker
 */
export function withPart(page: string, name: string, part: string): string {
  const [begin, end] = markers(name);
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page lacks the markers ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n${part}\n${page.slice(to)}`;
}
