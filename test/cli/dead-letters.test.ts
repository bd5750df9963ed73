import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { ModelRejectedError } from '../../src/inference/segmentation-model.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';
import { CapturedTerminal } from './captured-terminal.ts';

let test: ServedApp;
let sceneId = '';
/** Oldest first. */
const ids: string[] = [];

beforeAll(async () => {
  test = await openServedApp();
  const { data } = await test.ask(
    'mutation($path: String!) { registerScene(input: { path: $path, name: "Suburb" }) { id } }',
    {
      path: SUBURB,
    },
  );
  sceneId = data.registerScene.id;
  test.model.failure = new ModelRejectedError('brightness/1', 'no such tensor');
  for (const prompt of ['bright', 'dark', 'a unicorn']) ids.push(await ask(prompt, 'FAILED'));
}, 300_000);
afterAll(() => test.close());

async function ask(prompt: string, outcome: string): Promise<string> {
  const { data } = await test.ask('mutation($input: SegmentInput!) { segment(input: $input) { id state } }', {
    input: { sceneId, prompts: [prompt], scale: 'WHOLE', waitS: 60, force: true },
  });
  expect(data.segment[0].state).toBe(outcome);
  return data.segment[0].id;
}

async function untilSucceeded(wanted: readonly string[]): Promise<void> {
  const states = async (): Promise<string[]> =>
    (await test.services.segmentations.byIds(wanted)).map(({ state }) => state);
  await expect.poll(states, { timeout: 60_000 }).toEqual(wanted.map(() => 'SUCCEEDED'));
}

async function cli(...words: string[]) {
  const terminal = new CapturedTerminal();
  const exitCode = await runCli(['dead-letters', ...words, '--url', test.url], terminal, {});
  return { exitCode, output: terminal.output, notes: terminal.notes };
}
const json = async (...words: string[]) => JSON.parse((await cli(...words, '--json')).output);
const listed = async (...words: string[]): Promise<string[]> =>
  (await json('list', ...words)).map(({ id }: { id: string }) => id);

describe('terraql dead-letters list', () => {
  it('lists what was given up with the reason, newest first', async () => {
    const letters = await json('list');
    expect(letters.map(({ id }: { id: string }) => id)).toEqual(ids.toReversed());
    expect(letters.at(-1)).toEqual({
      id: ids[0],
      prompt: 'bright',
      scene: { name: 'Suburb' },
      createdAt: expect.any(String),
      finishedAt: expect.any(String),
      failure: {
        code: 'MODEL_REJECTED',
        message: 'Model brightness/1 refused the request: no such tensor',
        attempts: 1,
      },
    });
    const { exitCode, output } = await cli('list');
    expect(exitCode).toBe(0);
    const [heading, first] = output.split('\n');
    expect(heading).toMatch(/segmentation +scene +prompt +attempts +code +reason/);
    expect(first).toMatch(/Suburb +a unicorn +1 +MODEL_REJECTED +Model brightness\/1 refused/);
  });

  it('lists at most as many as asked, and those of one code', async () => {
    expect(await listed('--limit', '2')).toEqual(ids.toReversed().slice(0, 2));
    expect(await listed('--code', 'MODEL_REJECTED', '--limit', '1')).toEqual([ids[2]]);
    expect(await listed('--code', 'MODEL_CRASHED')).toEqual([]);
  });
});

describe('terraql dead-letters redrive', () => {
  it.each([
    [[], 'neither'],
    [['some-id', '--all'], 'both'],
    [['--all', '--code', 'MODEL_REJECTED'], 'two'],
  ])('wants to know which ones, in just one way: %j', async (words) => {
    const { exitCode, output, notes } = await cli('redrive', ...words);
    expect({ exitCode, output, notes }).toEqual({
      exitCode: 2,
      output: '',
      notes: [expect.stringContaining('Give exactly one of: identifiers, --all, --code.')],
    });
  });

  it('puts back those that are named, those of a code, and all', async () => {
    test.model.failure = null;
    // It may be taken up before the answer is there.
    expect(await json('redrive', ids[0]!)).toEqual([{ id: ids[0], state: expect.not.stringMatching('FAILED') }]);
    await untilSucceeded([ids[0]!]);
    expect(await listed()).toEqual([ids[2], ids[1]]);
    expect(await json('redrive', '--code', 'MODEL_CRASHED')).toEqual([]);
    expect((await cli('redrive', '--code', 'MODEL_REJECTED')).output).toBe('2 put back in the queue\n');
    await untilSucceeded(ids);
    expect(await listed()).toEqual([]);
    test.model.failure = new ModelRejectedError('brightness/1', 'again');
    const more = [await ask('bright', 'FAILED'), await ask('dark', 'FAILED')];
    test.model.failure = null;
    expect((await json('redrive', '--all')).map(({ id }: { id: string }) => id)).toEqual(more.toReversed());
    await untilSucceeded([...ids, ...more]);
  }, 300_000);

  it('leaves with 1 for one that did not fail', async () => {
    const { exitCode, notes } = await cli('redrive', ids[0]!);
    expect(exitCode).toBe(1);
    expect(notes).toEqual([`terraql: Segmentation ${ids[0]} is SUCCEEDED; only FAILED segmentations can be retried.`]);
  });
});
