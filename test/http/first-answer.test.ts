import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServedApp, type ServedApp, SUBURB } from './served-app.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** A Python that has `gql[requests]` of PyPI. */
const python = process.env['TERRAQL_TEST_PYTHON'] ?? 'python3';
const hasGql = spawnSync(python, ['-c', 'import gql.transport.requests']).status === 0;
if (!hasGql) console.warn(`skipped: ${python} has no gql; pip install 'gql[requests]' to run it`);
const run = promisify(execFile);

let folder = '';
let test: ServedApp;
let admin = '';
let analyst = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-first-answer-'));
  test = await openServedApp({ TERRAQL_AUTH: 'required' });
  const { apiKeys } = test.app.servicesFor({ workspace: 'default', subject: 'test', role: 'admin' });
  admin = (await apiKeys.create({ name: 'admin', role: 'admin', expiresAt: null })).secret;
  analyst = (await apiKeys.create({ name: 'analyst', role: 'analyst', expiresAt: null })).secret;
});
afterAll(async () => {
  await test.close();
  await rm(folder, { recursive: true, force: true });
});

/** A program of the page, about an image and a question that the test has. */
async function programOf(language: string): Promise<string> {
  const page = await readFile(path.join(ROOT, 'docs/integrations.md'), 'utf8');
  const found = new RegExp(`<!-- first answer: ${language} -->\\n\`\`\`\\w+\\n(.*?)\`\`\``, 's').exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no first answer in ${language}`);
  for (const part of ['/data/field.tif', 'Where is water?']) expect(found).toContain(part);
  return found
    .replaceAll('/data/field.tif', SUBURB)
    .replaceAll('Where is water?', 'bright')
    .replaceAll('http://127.0.0.1:4000', test.url);
}

const environment = (key: string): NodeJS.ProcessEnv => ({
  ...process.env,
  TERRAQL_URL: test.url,
  TERRAQL_API_KEY: key,
  TERRAQL_DATA_DIR: folder,
});

describe('the first answer of the page', () => {
  it('comes by curl, with a key that the first command creates', async () => {
    // On the server's machine the command needs no key; here it is another process than the server's.
    const script = (await programOf('curl')).replaceAll('answers.geojson', path.join(folder, 'answers.geojson'));
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT, env: environment(admin) });
    expect(stdout).toContain('"state":"SUCCEEDED"');
    expect(stdout).toMatch(/"totalCount":[1-9]\d+/);
    const { features } = JSON.parse(await readFile(path.join(folder, 'answers.geojson'), 'utf8')) as {
      features: unknown[];
    };
    expect(features.length).toBeGreaterThan(0);
  });

  it('comes in TypeScript', async () => {
    const file = path.join(folder, 'first-answer.mts');
    await writeFile(file, await programOf('typescript'));
    const tsx = path.join(ROOT, 'node_modules/.bin/tsx');
    const { stdout } = await run(tsx, [file], { env: environment(analyst) });
    expect(stdout).toMatch(/^[1-9]\d+ \[\n  \{ areaM2: \d/);
    await expect(run(tsx, [file], { env: environment(`${analyst}x`) })).rejects.toThrow('UNAUTHENTICATED');
  });

  it.skipIf(!hasGql)('comes in Python', async () => {
    const file = path.join(folder, 'first_answer.py');
    await writeFile(file, await programOf('python'));
    const { stdout } = await run(python, [file], { env: environment(analyst) });
    expect(stdout).toMatch(/^[1-9]\d+ \[\{'areaM2': \d/);
  });
});
