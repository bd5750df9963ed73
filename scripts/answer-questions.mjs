// Writes the questions of docs/querying.md anew: every operation of schema/operations with its variables and with what it
// answers on the demo's scene with the installed models. Uses a database of its own, thrown away afterwards;
// or the data folder that is named as an argument, where the demo's answers are kept.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const operations = path.join(root, 'schema', 'operations');
const page = path.join(root, 'docs', 'querying.md');
const BEGIN = '<!-- questions: written by npm run docs:querying -->';
const END = '<!-- end of questions -->';

const kept = process.argv[2];
const dataDir = kept ?? mkdtempSync(path.join(tmpdir(), 'terraql-questions-'));
const { DATABASE_URL: _, ...environment } = process.env;

function terraql(...words) {
  const { status, stdout } = spawnSync(
    process.execPath,
    [path.join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'), path.join(root, 'src', 'main.ts'), ...words],
    {
      env: { ...environment, TERRAQL_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  );
  if (status !== 0) throw new Error(`terraql ${words[0]} left with ${status}`);
  return stdout;
}

const files = readdirSync(operations)
  .filter((file) => file.endsWith('.graphql'))
  .toSorted()
  .map((file) => path.join(operations, file));

let answers;
try {
  terraql('demo', '--exit');
  answers = JSON.parse(terraql('query', ...files));
} finally {
  if (kept === undefined) rmSync(dataDir, { recursive: true, force: true });
}

/** Numbers to a hundredth, or to five decimal places for degrees and ratios: what is meant to be read. */
function readable(key, value) {
  if (typeof value !== 'number') return value;
  return Number(value.toFixed(/(M|M2)$/.test(key) ? 2 : 5));
}

/** JSON in which a list of numbers or texts stays on its line. */
function json(value) {
  return JSON.stringify(value, readable, 2).replaceAll(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_list, items) => `[${items.replaceAll(/\s*\n\s*/g, ' ')}]`,
  );
}

function fenced(language, text) {
  return `\`\`\`${language}\n${text.trim()}\n\`\`\``;
}

function section(file, index) {
  const { name } = path.parse(file);
  const lines = readFileSync(file, 'utf8').split('\n');
  const comments = lines.filter((line) => line.startsWith('# ')).map((line) => line.slice(2));
  const operation = lines.filter((line) => !line.startsWith('# ')).join('\n');
  const variables = path.join(operations, `${name}.json`);
  return [
    `### ${index + 1}. ${comments[0]}`,
    ...(comments.length > 1 ? [comments.slice(1).join(' ')] : []),
    `\`schema/operations/${name}.graphql\``,
    fenced('graphql', operation),
    ...(existsSync(variables) ? ['Variables:', fenced('json', json(JSON.parse(readFileSync(variables, 'utf8'))))] : []),
    'Answer:',
    fenced('json', json(answers[name])),
  ].join('\n\n');
}

const text = readFileSync(page, 'utf8');
const [before, rest] = text.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`docs/querying.md has no lines "${BEGIN}" and "${END}"`);
writeFileSync(page, `${before}${BEGIN}\n\n${files.map(section).join('\n\n')}\n\n${END}${after}`);
