import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderBlobStore } from '../../src/blob-store.ts';
import { dropKeptWindows, dropLeftoverWindows, KeptWindows } from '../../src/run/kept-windows.ts';

const BATCH = '01900000-0000-7000-8000-000000000001';
const logger = pino({ level: 'silent' });

let folder = '';
let blobs: FolderBlobStore;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-kept-'));
  blobs = new FolderBlobStore(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const open = (...ids: string[]): Promise<KeptWindows> => KeptWindows.open(blobs, logger, BATCH, ids);
const fileOf = (index: number): string => path.join(folder, 'runs', BATCH, String(index));
/** An answer to two questions: logits of 4 x 4, another one for each window. */
const answerOf = (window: number) => ({
  logits: [1, -1].map((sign) => Float32Array.from({ length: 16 }, (_, i) => sign * (window + i / 7))),
  valid: Uint8Array.from({ length: 33 }, (_, i) => (i + window) % 2),
});

describe('KeptWindows', () => {
  it('gives back what an earlier attempt kept, bit for bit, and knows which windows those are', async () => {
    const first = await open('a', 'b');
    for (const index of [0, 3]) await first.write(index, answerOf(index));
    const second = await open('a', 'b');
    expect([0, 1, 2, 3].map((index) => second.has(index))).toEqual([true, false, false, true]);
    expect(await second.read(0)).toEqual(answerOf(0));
    expect(await second.read(3)).toEqual(answerOf(3));
    expect(await second.read(1)).toBeNull();
  });

  it('compresses', async () => {
    const windows = await open('a');
    await windows.write(0, { logits: [new Float32Array(64 * 64)], valid: new Uint8Array(256 * 256).fill(1) });
    expect((await readFile(fileOf(0))).length).toBeLessThan(2000);
  });

  it('gives those questions that go on, in their order, after others were cancelled', async () => {
    await (await open('a', 'b')).write(0, answerOf(0));
    expect((await (await open('b')).read(0))!.logits).toEqual([answerOf(0).logits[1]]);
    expect((await (await open('b', 'a')).read(0))!.logits).toEqual(answerOf(0).logits.toReversed());
    expect(await (await open('a', 'c')).read(0)).toBeNull();
  });

  it.each([
    ['cut short', (file: string) => truncate(file, 20)],
    ['empty', (file: string) => truncate(file, 0)],
    ['of something else', (file: string) => writeFile(file, 'no deflate stream')],
  ])('has a window asked about again whose file is %s', async (_what, spoil) => {
    await (await open('a', 'b')).write(0, answerOf(0));
    await spoil(fileOf(0));
    const again = await open('a', 'b');
    expect(again.has(0)).toBe(true);
    expect(await again.read(0)).toBeNull();
    expect(again.has(0)).toBe(false);
  });

  it('lets a run go on whose windows cannot be kept', async () => {
    await writeFile(path.join(folder, 'runs'), 'in the way');
    const windows = new FolderBlobStore(folder);
    const kept = await KeptWindows.open({ ...bound(windows), list: async () => [] }, logger, BATCH, ['a', 'b']);
    await kept.write(0, answerOf(0));
    expect(await readFile(path.join(folder, 'runs'), 'utf8')).toBe('in the way');
  });

  it('remembers that the model was late with a window', async () => {
    const first = await open('a');
    expect(first.hadLateWindow).toBe(false);
    await first.noteLateWindow();
    await first.noteLateWindow();
    expect((await open('a')).hadLateWindow).toBe(true);
    await dropKeptWindows(blobs, BATCH);
    expect((await open('a')).hadLateWindow).toBe(false);
  });

  it('is gone when it is dropped, and nothing else is', async () => {
    await (await open('a', 'b')).write(0, answerOf(0));
    await blobs.write('runs/other/0', once(), 1);
    await dropKeptWindows(blobs, BATCH);
    expect(await blobs.list('runs')).toEqual(['other']);
    expect((await open('a', 'b')).has(0)).toBe(false);
    await dropKeptWindows(blobs, BATCH);
  });

  it('is left over when its run is no more', async () => {
    await (await open('a')).write(0, answerOf(0));
    await blobs.write('runs/other/0', once(), 1);
    await dropLeftoverWindows(blobs, { unfinished: async () => new Set([BATCH]) });
    expect(await blobs.list('runs')).toEqual([BATCH]);
  });
});

const bound = (store: FolderBlobStore) => ({
  write: store.write.bind(store),
  stream: store.stream.bind(store),
  removeFolder: store.removeFolder.bind(store),
});

async function* once(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1);
}
