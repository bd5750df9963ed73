import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BlobStore, FolderBlobStore } from '../../src/blob-store.ts';
import { LocalCopies } from '../../src/bucket/local-copies.ts';
import { openBlobs } from '../../src/bucket/open-blobs.ts';
import { S3BlobStore } from '../../src/bucket/s3-blob-store.ts';
import { readConfig } from '../../src/config.ts';
import { openRemoteFiles } from '../../src/remote/open-remote-files.ts';
import type { OpenS3 } from '../../src/remote/s3-client.ts';
import { S3Server } from '../remote/s3-server.ts';
import { chunks, describeBlobStore, PART_BYTES, type SharedStore } from './blob-store-contract.ts';
import { BUCKET, hasMoto, MotoServer } from './moto-server.ts';

const { pool } = openRemoteFiles({ maxBytes: 1e9 });

async function shareFolder(): Promise<SharedStore> {
  const folder = await mkdtemp(path.join(tmpdir(), 'terraql-blobs-'));
  const open = new Set<FolderBlobStore>();
  return {
    async open() {
      const store = new FolderBlobStore(folder);
      open.add(store);
      return store;
    },
    // Its socket closes with the process, which is what close() does.
    kill: (store) => store.close(),
    async close() {
      await Promise.all([...open].map((store) => store.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describeBlobStore('a folder', shareFolder);

describe.skipIf(!hasMoto)('in S3', () => {
  let server: MotoServer;
  beforeAll(async () => {
    server = await MotoServer.start();
  });
  afterAll(() => server?.close());

  async function share(key = `prefix/${randomUUID()}`): Promise<SharedStore> {
    const folder = await mkdtemp(path.join(tmpdir(), 'terraql-copies-'));
    const open = new Map<BlobStore, CutClient>();
    return {
      async open() {
        const client = cutClient(await server.client());
        const store = await S3BlobStore.open({
          at: { bucket: BUCKET, key },
          s3: client.s3,
          pool,
          copies: new LocalCopies(path.join(folder, randomUUID()), 1e9),
          times: { everyMs: 200, silenceMs: 3000 },
          sizes: { writeBytes: PART_BYTES, copyBytes: PART_BYTES },
        });
        open.set(store, client);
        return store;
      },
      async kill(store) {
        open.get(store)!.cut();
      },
      async close() {
        for (const [store, client] of open) if (!client.isCut()) await store.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  }

  describeBlobStore('a bucket', () => share());

  it('files lie below the prefix, and nothing of a large one is left over', async () => {
    const shared = await share('of/test');
    const store = await shared.open();
    await store.write('a/large', chunks(new Uint8Array(2 * PART_BYTES + 1)), 1e9);
    await store.write('a/small', chunks('x'), 1e9);
    expect((await server.keys('of/')).filter((key) => !key.includes('/.processes/'))).toEqual([
      'of/test/a/large',
      'of/test/a/small',
    ]);
    expect(await server.unfinished()).toBe(0);
    await shared.close();
    expect(await server.keys('of/test/.')).toEqual([]);
  });

  it('uploads of dead processes are aborted', async () => {
    const shared = await share('of/dead');
    const [dead, living] = [await shared.open(), await shared.open()];
    async function* cutOff(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(PART_BYTES);
      yield new Uint8Array(PART_BYTES);
      await shared.kill(dead);
      yield new Uint8Array(PART_BYTES);
    }
    await expect(dead.write('f/x/content', cutOff(), 1e9)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await server.unfinished()).toBe(1);
    await living.removePartial('f');
    expect(await server.unfinished()).toBe(0);
    expect(await living.list('f')).toEqual([]);
    await shared.close();
  });

  it('a process that others may have taken for dead finishes nothing', async () => {
    const shared = await share();
    const client = cutClient(await server.client());
    const store = await S3BlobStore.open({ ...options(client.s3), times: { everyMs: 100, silenceMs: 2300 } });
    async function* afterSilence(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      client.cut();
      await sleep(600);
      client.mend();
      await sleep(400);
    }
    await expect(store.write('a/b', afterSilence(), 9)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await store.readText('a/b')).toBeNull();
    expect((await store.write('a/b', chunks('a'), 9)).sizeBytes).toBe(1);
    await store.close();
    await shared.close();
  });

  it('a claim whose answer was lost is known to be the own one', async () => {
    const s3 = await server.client();
    const store = await S3BlobStore.open(options(s3));
    let lost = 0;
    s3.client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answer = await next(args);
          if (commandName !== 'PutObjectCommand' || lost > 0) return answer;
          lost += 1;
          throw Object.assign(new Error('the answer was lost'), { name: 'TimeoutError' });
        },
      { step: 'deserialize', priority: 'low' },
    );
    expect(await store.claim('a/b', 'mine')).toBe(true);
    expect(lost).toBe(1);
    expect(await store.claim('a/b', 'again')).toBe(false);
    await store.close();
  });

  it('of a server that overwrites what is claimed, nothing is kept: the start is refused', async () => {
    const careless = await S3Server.start();
    const config = readConfig({ TERRAQL_BLOBS: 's3://imagery/own', TERRAQL_S3_ENDPOINT: careless.endpoint });
    await expect(openBlobs(config, pool)).rejects.toThrow('The S3 server ignores If-None-Match');
    careless.close();
  });

  it('that cannot be reached are an outage', async () => {
    const config = { ...readConfig({ TERRAQL_BLOBS: 's3://none-such', TERRAQL_S3_ENDPOINT: server.endpoint }) };
    await expect(openBlobs(config, pool)).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('bucket does not exist'),
    });
  });

  const options = (s3: OpenS3) => ({
    at: { bucket: BUCKET, key: randomUUID() },
    s3,
    pool,
    copies: new LocalCopies(path.join(tmpdir(), 'terraql-no-copies'), 1e9),
  });
});

describe('local copies', () => {
  it('of a dead process are removed by the next', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'terraql-copies-'));
    await mkdir(path.join(folder, '0123456789abcdef'));
    const copies = new LocalCopies(folder, 1);
    let fetched = 0;
    const fetch = (): AsyncGenerator<Uint8Array> => {
      fetched += 1;
      return chunks('abc');
    };
    const [one, same] = await Promise.all([copies.path('a/b', fetch), copies.path('a/b', fetch)]);
    expect(await readFile(one, 'utf8')).toBe('abc');
    expect(same).toBe(one);
    expect(await copies.path('a/c', fetch)).not.toBe(one);
    expect(await copies.path('a/b', fetch)).toBe(one);
    expect(fetched).toBe(2);
    expect(await readdir(folder)).toHaveLength(2);
    await copies.close();
    expect(await readdir(folder)).toEqual(['.processes']);
  });
});

interface CutClient {
  readonly s3: OpenS3;
  cut(): void;
  mend(): void;
  isCut(): boolean;
}

/** A client whose network can be cut, as that of a process that is gone. */
function cutClient({ sdk, client }: OpenS3): CutClient {
  let isCut = false;
  const gate = (next: (args: never) => Promise<never>) => (args: never) =>
    isCut ? Promise.reject(new Error('there is no network')) : next(args);
  client.middlewareStack.add(gate as never, { step: 'initialize' });
  return {
    s3: { sdk, client },
    cut: () => void (isCut = true),
    mend: () => void (isCut = false),
    isCut: () => isCut,
  };
}
