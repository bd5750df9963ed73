/** Style of the start page: system fonts, light and dark, cards that wrap. */
export const START_PAGE_STYLE = `
:root { color-scheme: light dark; --line: #d5d9df; --soft: #55606e; --card: #fff; --page: #f5f6f8; --text: #14181d; --link: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --line: #333b45; --soft: #9fabb9; --card: #1b2027; --page: #12161b; --text: #e9edf2; --link: #8ab4f8; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1, h2, h3, p { margin: 0 0 .5rem; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; } h2 { font-size: 1.25rem; } h3 { font-size: 1rem; }
header, section { margin-bottom: 2.5rem; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
code { font: .9em ui-monospace, monospace; }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem; margin: 1rem 0; padding: 0;
  list-style: none; }
li { padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
img { display: block; width: 100%; max-height: 24rem; margin-bottom: .75rem; object-fit: contain; border-radius: .25rem; }
.facts { color: var(--soft); font-size: .875rem; }
`;
