import type { Html } from '../html.ts';
import { html } from '../html.ts';
import type { Link } from './links.ts';

/** A page with the links of its document, for people and search engines. */
export function htmlPage(title: string, links: readonly Link[], content: Html): string {
  const list = links
    .filter(({ templated }) => !templated)
    .map(({ href, rel, title: name }) => html`<li><a href="${href}" rel="${rel}">${name ?? rel}</a></li>`);
  return `<!doctype html>${
    html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}table{border-collapse:collapse;display:block;overflow:auto}td,th{border-bottom:1px solid #999;padding:.25rem .75rem;text-align:left;white-space:nowrap}pre{overflow:auto}</style>
</head><body><main><h1>${title}</h1>${content}<h2>Links</h2><ul>${list}</ul></main></body></html>`.markup
  }`;
}

/** A document without a form of its own: what it says of itself, and its JSON, folded so that the links are in view. */
export function documentContent(document: object): Html {
  const about = 'description' in document && typeof document.description === 'string' ? document.description : '';
  return html`<p>${about}</p><details><summary>The document as JSON</summary><pre>${JSON.stringify(document, null, 2)}</pre></details>`;
}

interface ShownItem {
  readonly id?: unknown;
  readonly properties?: Readonly<Record<string, unknown>> | null;
}

/** Items as a table. @param address of the items, to which identifiers are added */
export function itemTable(items: readonly ShownItem[], address: string, numberMatched: number): Html {
  const [first] = items;
  if (!first) return html`<p>No item matches.</p>`;
  const names = Object.keys(first.properties ?? {});
  const rows = items.map(({ id, properties }) => {
    const cells = names.map((name) => html`<td>${cell(properties?.[name])}</td>`);
    return html`<tr><td><a href="${address}/${String(id)}">${String(id)}</a></td>${cells}</tr>`;
  });
  const headings = names.map((name) => html`<th>${name}</th>`);
  return html`<p>${items.length} of ${numberMatched} items.</p><table><thead><tr><th>id</th>${headings}</tr></thead><tbody>${rows}</tbody></table>`;
}

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** Collections as a list. */
export function collectionList(
  collections: readonly { readonly id: string; readonly title: string; readonly description: string }[],
  base: string,
): Html {
  const items = collections.map(
    ({ id, title, description }) =>
      html`<li><a href="${base}/collections/${id}/items?f=html">${title}</a> — ${description}</li>`,
  );
  return html`<ul>${items}</ul>`;
}
