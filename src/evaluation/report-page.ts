import { html, Html } from '../html.ts';

/** System fonts, light and dark. */
const STYLE = `
:root { color-scheme: light dark; --line: #8884; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; margin-bottom: 1.5rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
.number { text-align: right; }
svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: 1rem; padding: 0; list-style: none; }
.cases li { overflow-wrap: anywhere; }
.cases img { display: block; width: 100%; border-radius: .25rem; }
.colour { display: inline-block; width: 1em; height: 1em; vertical-align: -.15em; }
`;

/** A report as one HTML page without external files. */
export function reportPage(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<h1>${title}</h1>
${body}</body>
</html>
`.markup;
}
