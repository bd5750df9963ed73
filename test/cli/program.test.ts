import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { CapturedTerminal } from './captured-terminal.ts';

let dataDir = '';
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-cli-'));
});
afterAll(() => rm(dataDir, { recursive: true }));

async function cli(words: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const terminal = new CapturedTerminal();
  const exitCode = await runCli(words, terminal, { TERRAQL_DATA_DIR: dataDir, ...environment });
  return { exitCode, output: terminal.output, notes: terminal.notes };
}

const VERBS = [
  'demo',
  'serve',
  'worker',
  'model-server',
  'register',
  'segment',
  'features',
  'adjacency',
  'query',
  'scenes',
  'segmentations',
  'dead-letters',
  'models',
  'evaluate',
  'redundancy',
  'migrate',
];

describe('terraql', () => {
  it('lists every verb in its help and exits 0', async () => {
    const { exitCode, output, notes } = await cli(['--help']);
    expect({ exitCode, notes }).toEqual({ exitCode: 0, notes: [] });
    for (const verb of VERBS) expect(output).toMatch(new RegExp(`^  ${verb} .*\\w`, 'm'));
  });

  it.each(VERBS)('explains %s', async (verb) => {
    const { exitCode, output } = await cli([verb, '--help']);
    expect(exitCode).toBe(0);
    expect(output).toContain(`Usage: terraql ${verb}`);
  });

  it.each([...VERBS, 'dead-letters list', 'dead-letters redrive'])(
    'describes every argument and option of %s',
    async (verb) => {
      const { output } = await cli([...verb.split(' '), '--help']);
      const [, ...parts] = output.split(/^(?:Arguments|Options|Commands):\n/m);
      const terms = parts.join('').match(/^  \S.*(?:\n {3,}.*)*/gm) ?? [];
      expect(terms.length).toBeGreaterThan(0);
      for (const term of terms) expect(term).toMatch(/^  .*\S(?: {2,}|\n {3,})[a-z`A-Z]/);
    },
  );

  it('prints its version', async () => {
    expect((await cli(['--version'])).output).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['paint'], "terraql: unknown command 'paint'"],
    [['register'], "terraql: missing required argument 'image'"],
    [['segment', 'scene-1'], "terraql: missing required argument 'prompt'"],
    [['features', '--limit', '0'], "argument '0' is invalid. It must be a whole number of at least 1."],
    [['features', '--bbox', '1,2,3'], "argument '1,2,3' is invalid. It must be west,south,east,north."],
    [['features', '--precision', '3'], '--precision requires a --format other than table.'],
    [['register', 'a.tif', '--bands', '0,1,2'], "argument '0,1,2' is invalid. It must be three whole numbers"],
    [['register', 'a.tif', '--bands', '1.5,1,2'], "argument '1.5,1,2' is invalid. It must be three whole numbers"],
    [['scenes', '--url', 'nonsense'], "argument 'nonsense' is invalid. It must be an http:// or https:// address."],
    [['query', 'a.graphql', '--url', 'ftp://a'], "argument 'ftp://a' is invalid. It must be an http://"],
    [
      ['features', '--format', 'shapefile'],
      'Allowed are table, geojson, ndjson, geojsons, csv, coco, fgb, parquet, parquet.zip.',
    ],
    [['segment', 'scene-1', 'water', '--task', 'guessing'], 'Allowed are reasoning, referring.'],
  ])('leaves with 2 and one line for wrong usage: %s', async (words, line) => {
    const { exitCode, output, notes } = await cli(words);
    expect({ exitCode, output, lines: notes.length }).toEqual({ exitCode: 2, output: '', lines: 1 });
    expect(notes[0]).toContain(line);
  });

  it('leaves with 1 and one line that names every wrong variable, its value and what is allowed', async () => {
    const { exitCode, notes } = await cli(['serve'], { TERRAQL_PORT: '99999', TERRAQL_NEAR_M: 'far' });
    expect(exitCode).toBe(1);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^terraql: TERRAQL_PORT="99999": .*65535.*; TERRAQL_NEAR_M="far": .*number/);
  });

  it.each(['serve', 'demo'])('%s reports a taken port before it opens the database', async (verb) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const untouched = await mkdtemp(path.join(dataDir, 'untouched-'));
    const { exitCode, notes } = await cli([verb], { TERRAQL_PORT: String(port), TERRAQL_DATA_DIR: untouched });
    other.close();
    expect({ exitCode, notes }).toEqual({
      exitCode: 1,
      notes: [
        `terraql: Cannot listen on 127.0.0.1:${port}: another process uses the port; set TERRAQL_PORT to a free port`,
      ],
    });
    expect(await readdir(untouched)).toEqual([]);
  });

  it('shows progress while a server takes more than two seconds to answer', async () => {
    const slow = createHttpServer((_request, response) => {
      setTimeout(() => response.end('{"data":{"scenes":{"nodes":[]}}}'), 2600);
    }).listen(0, '127.0.0.1');
    await once(slow, 'listening');
    const { port } = slow.address() as AddressInfo;
    const { exitCode, output, notes } = await cli(['scenes', '--json', '--url', `http://127.0.0.1:${port}`]);
    slow.close();
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '[]\n' });
    expect(notes[0]).toMatch(/^Asking \(\d s\)$/);
  });

  it('leaves with 1 and says where nothing answers', async () => {
    const { exitCode, notes } = await cli(['scenes', '--url', 'http://127.0.0.1:9']);
    expect(exitCode).toBe(1);
    expect(notes).toEqual([
      expect.stringMatching(/^terraql: No TerraQL server answers at http:\/\/127\.0\.0\.1:9: .+/),
    ]);
  });
});
