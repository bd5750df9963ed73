import { mkdtemp, rm } from 'node:fs/promises';
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

const VERBS = ['demo', 'serve', 'register', 'segment', 'features', 'scenes', 'segmentations', 'models', 'migrate'];

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

  it('prints its version', async () => {
    expect((await cli(['--version'])).output).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['paint'], "terraql: unknown command 'paint'"],
    [['register'], "terraql: missing required argument 'image'"],
    [['segment', 'scene-1'], "terraql: missing required argument 'prompt'"],
    [['features', '--limit', '0'], "argument '0' is invalid. It is not a whole number from 1."],
    [['features', '--bbox', '1,2,3'], "argument '1,2,3' is invalid. It must be west,south,east,north."],
    [['features', '--format', 'shapefile'], 'Allowed are table, geojson, ndjson, csv, fgb, parquet.'],
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

  it('leaves with 1 and says where nothing answers', async () => {
    const { exitCode, notes } = await cli(['scenes', '--url', 'http://127.0.0.1:9']);
    expect(exitCode).toBe(1);
    expect(notes).toEqual([
      expect.stringMatching(/^terraql: no TerraQL server answers at http:\/\/127\.0\.0\.1:9: .+/),
    ]);
  });
});
