import { randomBytes } from 'node:crypto';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../src/blob-store.ts';

/** A store as several processes see it. */
export interface SharedStore {
  /** The store of another process. */
  open(): Promise<BlobStore>;
  /** Ends a process as a crash would: nothing of it is tidied up. */
  kill(store: BlobStore): Promise<void>;
  close(): Promise<void>;
}

export async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** Bytes of more than two parts of a multipart write of {@link PART_BYTES}. */
export const PART_BYTES = 5 * 2 ** 20;
const large = randomBytes(2 * PART_BYTES + 12_345);

/** What every store of blobs does. */
export function describeBlobStore(where: string, share: () => Promise<SharedStore>): void {
  describe(`blobs in ${where}`, () => {
    let shared: SharedStore;
    let [store, other]: BlobStore[] = [];
    beforeEach(async () => {
      shared = await share();
      [store, other] = [await shared.open(), await shared.open()];
    });
    afterEach(() => shared.close());

    it('are written whole, with size and hash, and read by every process', async () => {
      const written = await store!.write('a/b', chunks('abc', 'def'), 6);
      expect(written).toEqual({ sizeBytes: 6, sha256: createHash('sha256').update('abcdef').digest('hex') });
      expect(await other!.readText('a/b')).toBe('abcdef');
      expect((await bytesOf(other!.stream('a/b'))).toString()).toBe('abcdef');
      expect((await bytesOf(other!.stream('a/b', { start: 1, end: 4 }))).toString()).toBe('bcd');
      expect(await bytesOf(other!.stream('a/b', { start: 2, end: 2 }))).toHaveLength(0);
      expect(await readFile(await other!.localPath('a/b'), 'utf8')).toBe('abcdef');
      await store!.write('a/b', chunks('gh'), 6);
      expect(await readFile(await other!.localPath('a/b'), 'utf8')).toBe('gh');
      await store!.write('a/empty', chunks(), 6);
      expect(await other!.readText('a/empty')).toBe('');
    });

    it('are leased until their holder releases them, who leaves the lease of another alone', async () => {
      expect(await store!.lease('a/lease')).toBe(true);
      expect(await other!.lease('a/lease')).toBe(false);
      await other!.release('a/lease');
      expect(await other!.isLeased('a/lease')).toBe(true);
      await store!.release('a/lease');
      expect(await other!.lease('a/lease')).toBe(true);
    });

    it('may be large', async () => {
      const sha256 = createHash('sha256').update(large).digest('hex');
      const pieces = Array.from({ length: 200 }, (_, i) => large.subarray(i * 60_000, (i + 1) * 60_000));
      expect(await store!.write('a/large', chunks(...pieces), 1e9)).toEqual({ sizeBytes: large.length, sha256 });
      await store!.move('a/large', 'b/large');
      expect(large.equals(await bytesOf(other!.stream('b/large')))).toBe(true);
      const opened = await other!.open('b/large');
      if (typeof opened !== 'string') {
        expect(opened.sizeBytes).toBe(large.length);
        expect(large.subarray(7_000_000, 7_000_100).equals(await opened.read(7_000_000, 100))).toBe(true);
        expect(await opened.read(large.length - 5, 100)).toHaveLength(5);
        await opened.close();
      } else expect(large.equals(await readFile(opened))).toBe(true);
    });

    it('that are too large, or break off, leave nothing', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield large.subarray(0, PART_BYTES + 1);
        throw new Error('the client has gone');
      }
      await expect(store!.write('a/b', chunks('abcd'), 3)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
      await expect(store!.write('a/b', broken(), 1e9)).rejects.toThrow('the client has gone');
      expect(await store!.readText('a/b')).toBeNull();
      expect(await store!.list('a')).toEqual([]);
      expect(await store!.ageMs('a')).toBeNull();
    });

    it('that are missing are said to be', async () => {
      for (const read of [
        () => store!.localPath('a/none'),
        () => store!.open('a/none'),
        () => bytesOf(store!.stream('a/none')),
        () => store!.move('a/none', 'a/b'),
      ]) {
        await expect(read()).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      }
      expect(await store!.readText('a/none')).toBeNull();
      await store!.remove('a/none');
      await store!.removeFolder('none');
    });

    it('have no keys that leave the store', async () => {
      for (const key of ['../x', 'a/../../x', '/etc/passwd', 'a//b', '', '.', 'a/.hidden', 'a/b\n']) {
        await expect(store!.localPath(key)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
        await expect(store!.write(key, chunks('x'), 10)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      }
    });

    it('are moved, listed and removed', async () => {
      await store!.write('a/1/x', chunks('1'), 9);
      await store!.write('a/2', chunks('2'), 9);
      await store!.write('ab/3', chunks('3'), 9);
      await other!.move('a/2', 'c/2');
      expect((await store!.list('a')).toSorted()).toEqual(['1']);
      expect(await store!.list('c')).toEqual(['2']);
      expect(await store!.list('none')).toEqual([]);
      await store!.removeFolder('a');
      expect(await other!.list('a')).toEqual([]);
      expect(await other!.readText('ab/3')).toBe('3');
      await store!.remove('ab/3');
      expect(await other!.list('ab')).toEqual([]);
    });

    it('are claimed by exactly one of many', async () => {
      for (let round = 0; round < 5; round++) {
        const claims = Array.from({ length: 8 }, (_, i) => (i % 2 ? store! : other!).claim(`a/${round}`, `text ${i}`));
        const won = await Promise.all(claims);
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await store!.readText(`a/${round}`)).toBe(`text ${won.indexOf(true)}`);
      }
      expect(await store!.claim('a/empty', '')).toBe(true);
      expect(await other!.claim('a/empty', '')).toBe(false);
    });

    it('are leased to one living process, and to the next when that is dead', async () => {
      expect(await store!.lease('a/mark')).toBe(true);
      expect(await store!.lease('a/mark')).toBe(false);
      expect(await other!.lease('a/mark')).toBe(false);
      expect(await other!.isLeased('a/mark')).toBe(true);
      expect(await other!.isAlive(await store!.processToken())).toBe(true);
      await shared.kill(store!);
      expect(await other!.isLeased('a/mark')).toBe(false);
      const heirs = [other!, await shared.open(), await shared.open()];
      const taken = await Promise.all(heirs.map((heir) => heir.lease('a/mark')));
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await other!.list('a')).toEqual(['mark']);
      await heirs[taken.indexOf(true)]!.close();
      const last = await shared.open();
      expect(await last.isLeased('a/mark')).toBe(false);
      expect(await last.lease('a/mark')).toBe(true);
    });

    it('know no process of any other name', async () => {
      for (const token of ['', '0123456789abcdef', 'x', '../a']) expect(await store!.isAlive(token)).toBe(false);
    });

    it('have an age, by what came to their folder last', async () => {
      await store!.write('a/b', chunks('x'), 9);
      const age = await other!.ageMs('a');
      expect(age).not.toBeNull();
      expect(age).toBeLessThan(60_000);
      expect(await store!.ageMs('none')).toBeNull();
    });

    it('that a dead process was writing are swept away, and no others', async () => {
      let [sent, goOn] = [() => {}, () => {}];
      const begun = new Promise<void>((resolve) => (sent = resolve));
      async function* slow(done: () => void, wait: Promise<void>): AsyncGenerator<Uint8Array> {
        yield large.subarray(0, PART_BYTES + 1);
        yield large.subarray(0, PART_BYTES + 1);
        done();
        await wait;
        yield Buffer.from('end');
      }
      const never = new Promise<void>(() => {});
      const later = new Promise<void>((resolve) => (goOn = resolve));
      void store!.write('f/dead/content', slow(sent, never), 1e9).catch(() => undefined);
      await begun;
      const begunToo = new Promise<void>((resolve) => (sent = resolve));
      const living = other!.write(
        'f/living/content',
        slow(() => sent(), later),
        1e9,
      );
      await begunToo;
      await shared.kill(store!);
      await other!.removePartial('f');
      expect((await other!.list('f')).filter((name) => name === 'dead')).toEqual([]);
      goOn();
      expect((await living).sizeBytes).toBe(2 * PART_BYTES + 5);
      expect(await other!.list('f/living')).toEqual(['content']);
      expect(await other!.list('f')).toEqual(['living']);
    });

    it('have room', async () => {
      expect(await store!.freeBytes()).toBeGreaterThan(1e6);
    });
  });
}
