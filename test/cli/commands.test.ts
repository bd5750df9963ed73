import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';
import { CapturedTerminal } from './captured-terminal.ts';

let test: ServedApp;
let dataDir = '';
let sceneId = '';
let bright = '';

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'terraql-commands-'));
  test = await openServedApp();
  const found = await test.segment(['bright', 'a unicorn']);
  sceneId = found.sceneId;
  bright = found.segmentationIds[0]!;
});
afterAll(async () => {
  await test.close();
  await rm(dataDir, { recursive: true });
});

async function cli(...words: string[]) {
  const terminal = new CapturedTerminal();
  const exitCode = await runCli([...words, '--url', test.url], terminal, { TERRAQL_DATA_DIR: dataDir });
  return { exitCode, output: terminal.output, notes: terminal.notes };
}

async function json(...words: string[]) {
  const { exitCode, output, notes } = await cli(...words, '--json');
  expect({ exitCode, errors: notes.filter((line) => line.startsWith('terraql:')) }).toEqual({
    exitCode: 0,
    errors: [],
  });
  return JSON.parse(output);
}

describe('register', () => {
  it('registers a path with the options given', async () => {
    const scene = await json(
      'register',
      SUBURB,
      '--name',
      'Loop road',
      '--bands',
      '3,2,1',
      '--acquired-at',
      '2020-08-31',
    );
    expect(scene).toMatchObject({
      name: 'Loop road',
      source: SUBURB,
      widthPx: 383,
      heightPx: 232,
      crs: 'EPSG:26913',
      acquiredAt: '2020-08-31T00:00:00.000Z',
    });
  });

  it('sends the file itself with --upload, also from outside the allowed folders', async () => {
    const scene = await json('register', SUBURB, '--upload');
    expect(scene).toMatchObject({ source: `upload:${path.basename(SUBURB)}`, crs: 'EPSG:26913' });
  });

  it('reads tiles with --zoom, which needs bounds, behind the checks of every address', async () => {
    const template = 'https://127.0.0.1/{z}/{x}/{y}.png';
    const tiles = await cli('register', template, '--zoom', '3', '--bounds', '0,0,1,1', '--attribution', 'Survey');
    expect(tiles.notes.at(-1)).toContain('Host 127.0.0.1 has address 127.0.0.1');
    const { exitCode, notes } = await cli('register', template, '--zoom', '3');
    expect([exitCode, notes.at(-1)]).toEqual([2, expect.stringContaining('--zoom reads tiles, and needs --bounds')]);
  });

  it('leaves with 1 and the reason in one line for an image that is refused', async () => {
    const { exitCode, output, notes } = await cli('register', '/etc/hostname');
    expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' });
    expect(notes).toEqual([`terraql: path /etc/hostname is not in an allowed folder (TERRAQL_SCENE_ROOTS).`]);
  });
});

describe('segment', () => {
  it('waits for the answers and prints them in the order of the prompts', async () => {
    const [dark, nothing] = await json(
      'segment',
      sceneId,
      'dark',
      'a yeti',
      '--task',
      'referring',
      '--threshold',
      '0.6',
    );
    expect(dark).toMatchObject({ prompt: 'dark', state: 'SUCCEEDED', targetFound: true });
    expect(dark.featureCount).toBeGreaterThan(0);
    expect(nothing).toMatchObject({ prompt: 'a yeti', targetFound: false, emptyReason: 'NO_PIXEL_ABOVE_THRESHOLD' });
  });

  it('keeps to the area of interest, given in place or as a feature', async () => {
    const { data } = await test.ask('query($id: ID!) { scene(id: $id) { footprint } }', { id: sceneId });
    const [west, south] = data.scene.footprint.coordinates[0][0];
    const square = [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
      [-1, -1],
    ].map(([x, y]) => [west + x! * 1e-4, south + y! * 1e-4]);
    const area = { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [square] } };
    const [cut] = await json('segment', sceneId, 'dark', '--area-of-interest', JSON.stringify(area));
    const [whole] = await json('segment', sceneId, 'dark');
    expect(cut.areaM2).toBeLessThan(whole.areaM2 / 2);
  });

  it('returns at once with --no-wait', async () => {
    let open = (): void => undefined;
    test.model.gate = new Promise((resolve) => (open = resolve));
    try {
      const [queued] = await json('segment', sceneId, 'dark', '--force', '--no-wait');
      expect(['QUEUED', 'RUNNING']).toContain(queued.state);
    } finally {
      open();
    }
  });

  it('leaves with 1 for an unknown scene, and with 2 for a file that is not JSON', async () => {
    const unknown = await cli('segment', '01900000-0000-7000-8000-000000000000', 'dark');
    expect(unknown).toMatchObject({
      exitCode: 1,
      notes: ['terraql: Scene 01900000-0000-7000-8000-000000000000 does not exist.'],
    });
    const wrong = await cli('segment', sceneId, 'dark', '--area-of-interest', SUBURB);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.notes).toEqual([expect.stringMatching(/^terraql: --area-of-interest .*suburb.* is not JSON: /)]);
  });
});

describe('features', () => {
  it('prints every feature of a segmentation, largest first', async () => {
    const answer = await test.ask('query($id: ID!) { segmentation(id: $id) { featureCount areaM2 } }', { id: bright });
    const collection = await json('features', '--segmentation', bright);
    const areas: number[] = collection.features.map(
      (feature: { properties: { areaM2: number } }) => feature.properties.areaM2,
    );
    expect(areas).toHaveLength(answer.data.segmentation.featureCount);
    expect(areas).toEqual(areas.toSorted((a, b) => b - a));
    expect(areas.reduce((a, b) => a + b, 0)).toBeCloseTo(answer.data.segmentation.areaM2, 3);
  });

  it('keeps to every condition given', async () => {
    const all = (await json('features', '--segmentation', bright)).features;
    const [largest] = all;
    const least = Math.floor(largest.properties.areaM2);
    const large = await json('features', '--segmentation', bright, '--min-area-m2', String(least));
    expect(large.features.map(({ id }: { id: string }) => id)).toContain(largest.id);
    expect(large.features.length).toBeLessThan(all.length);
    const nowhere = await json('features', '--near', '0,0', '--within-m', '1000');
    expect(nowhere.features).toEqual([]);
    const filter = JSON.stringify({ not: { segmentationId: bright } });
    const others = await json('features', '--scene', sceneId, '--prompt', 'bright', '--filter', filter);
    expect(others.features).toEqual([]);
  });

  it('notes what is answered otherwise than it was put', async () => {
    const bowTie = '{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}';
    const { exitCode, notes } = await cli('features', '--intersects', bowTie);
    expect({ exitCode, notes }).toMatchObject({ exitCode: 0, notes: [expect.stringMatching(/was repaired/)] });
    const file = path.join(dataDir, 'bow-tie.graphql');
    await writeFile(
      file,
      `{ features(filter: { intersects: ${bowTie.replaceAll(/"(\w+)":/g, '$1: ')} }) { totalCount } }`,
    );
    expect((await cli('query', file)).notes.join()).toMatch(/was repaired/);
  });

  it('refuses a bound that no feature has, with what is allowed', async () => {
    const { exitCode, notes } = await cli('features', '--min-probability', '7');
    expect(exitCode).not.toBe(0);
    expect(notes.join()).toMatch(/meanProbability has the bound 7; it must be 0 to 1/);
    const area = await cli('features', '--max-area-m2', '-5', '--format', 'csv');
    expect(area.exitCode).not.toBe(0);
    expect(area.notes.join()).toMatch(/areaM2 has the bound -5; it must be 0 or more/);
  });

  it('prints a table of the first few with --limit', async () => {
    const { output, exitCode } = await cli('features', '--segmentation', bright, '--limit', '2');
    const lines = output.trimEnd().split('\n');
    expect(exitCode).toBe(0);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(
      /^1\s+bright\s+[\d.,]+ (m²|ha)\s+[\d.,]+ m\s+\d+\s+0\.\d\d\s+[01]\.\d\d\s+[01]\.\d\d\s+\d+°\s+[01]\.\d\d\s+-104\.77/,
    );
  });

  it('leaves with 1 and says what the service refused', async () => {
    const filter = JSON.stringify({ colour: 'red' });
    const { exitCode, notes } = await cli('features', '--filter', filter);
    expect(exitCode).toBe(1);
    expect(notes).toEqual([expect.stringMatching(/^terraql: .*colour.*/)]);
  });
});

describe('lists', () => {
  it('has scenes, segmentations and models', async () => {
    const scenes = await json('scenes', '--name', 'suburb');
    expect(scenes.map(({ id }: { id: string }) => id)).toContain(sceneId);
    const found = await json('segmentations', '--scene', sceneId, '--prompt', 'unicorn', '--state', 'succeeded');
    expect(found).toMatchObject([{ prompt: 'a unicorn', emptyReason: 'NO_PIXEL_ABOVE_THRESHOLD' }]);
    expect(await json('models')).toMatchObject([{ id: 'brightness/1', windowPx: 64, ready: true }]);
    const tables = [await cli('scenes'), await cli('segmentations'), await cli('models')];
    for (const { exitCode, output } of tables) {
      expect(exitCode).toBe(0);
      expect(output.split('\n').length).toBeGreaterThan(2);
    }
  });
});
