import { createHash } from 'node:crypto';
import { BlobLeases } from '../blob-leases.ts';
import {
  BlobNotFoundError,
  type BlobRanges,
  type BlobStore,
  FileTooLargeError,
  namesOf,
  type WriteAddress,
  type WrittenBlob,
} from '../blob-store.ts';
import { type RangePool, RangeSource } from '../remote/range-source.ts';
import type { S3Address } from '../remote/s3-address.ts';
import { presignedPut } from '../remote/presigned-put.ts';
import type { OpenS3 } from '../remote/s3-client.ts';
import { S3Ranges } from '../remote/s3-ranges.ts';
import { BEAT_TIMES, type BeatTimes, BucketPresence } from './bucket-presence.ts';
import { BucketObjects } from './bucket-objects.ts';
import type { LocalCopies } from './local-copies.ts';
import {
  abortAbandoned,
  copySource,
  MAX_PARTS,
  MultipartWrite,
  PART_SIZES,
  type PartSizes,
  textOf,
} from './multipart-write.ts';

export interface S3BlobOptions {
  /** Bucket and prefix. */
  readonly at: S3Address;
  /** Repeats its requests itself. */
  readonly s3: OpenS3;
  /** The server under the address by which clients reach it; unless given, as this process does. */
  readonly publicS3?: OpenS3 | undefined;
  /** For files that are read by range. */
  readonly pool: RangePool;
  readonly copies: LocalCopies;
  readonly times?: BeatTimes;
  readonly sizes?: PartSizes;
}

/**
 * Blobs as objects below a prefix of a bucket, shared by any number of machines. Needs of the server: strong consistency,
 * multipart uploads, and writes with `If-None-Match: *`.
 */
export class S3BlobStore implements BlobStore {
  private readonly leases = new BlobLeases(this);

  private constructor(
    private readonly objects: BucketObjects,
    private readonly presence: BucketPresence,
    private readonly options: S3BlobOptions,
  ) {}

  /** @throws {ConditionalWritesError} for a server that ignores `If-None-Match`; {@link StorageUnavailableError} */
  static async open(options: S3BlobOptions): Promise<S3BlobStore> {
    const objects = new BucketObjects(options.s3, options.at);
    return new S3BlobStore(objects, await BucketPresence.open(objects, options.times ?? BEAT_TIMES), options);
  }

  async close(): Promise<void> {
    await this.options.copies.close();
    await this.presence.close();
    this.options.s3.client.destroy();
    this.options.publicS3?.client.destroy();
  }

  async write(key: string, bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<WrittenBlob> {
    const name = nameOf(key);
    const stillAlive = this.presence.fence();
    const hash = createHash('sha256');
    let [sizeBytes, write]: [number, MultipartWrite | null] = [0, null];
    const { writeBytes } = this.options.sizes ?? PART_SIZES;
    const most = Math.min(maxBytes, MAX_PARTS * writeBytes);
    let part: Uint8Array[] = [];
    let partBytes = 0;
    try {
      for await (const chunk of bytes) {
        sizeBytes += chunk.length;
        if (sizeBytes > most) throw new FileTooLargeError(sizeBytes, most, false);
        hash.update(chunk);
        part.push(chunk);
        partBytes += chunk.length;
        if (partBytes < writeBytes) continue;
        write ??= await MultipartWrite.begin(this.objects, name, this.presence.token);
        await write.add(Buffer.concat(part));
        [part, partBytes] = [[], 0];
      }
      stillAlive();
      if (write === null) await this.objects.put(name, Buffer.concat(part));
      else {
        if (partBytes > 0) await write.add(Buffer.concat(part));
        await write.complete();
      }
      return { sizeBytes, sha256: hash.digest('hex') };
    } catch (error) {
      await write?.abort().catch(() => undefined); // the sweeper finds its marker
      throw error;
    }
  }

  async writeAddress(key: string, sizeBytes: number, ttlS: number): Promise<WriteAddress | null> {
    const at = this.objects.addressOf(nameOf(key));
    return this.objects.send(() => presignedPut(this.options.publicS3 ?? this.options.s3, at, sizeBytes, ttlS));
  }

  claim(key: string, text: string): Promise<boolean> {
    return this.objects.putNew(nameOf(key), Buffer.from(text));
  }

  lease(key: string): Promise<boolean> {
    return this.leases.lease(key);
  }

  release(key: string): Promise<void> {
    return this.leases.release(key);
  }

  isLeased(key: string): Promise<boolean> {
    return this.leases.isLeased(key);
  }

  async processToken(): Promise<string> {
    return this.presence.token;
  }

  isAlive(processToken: string): Promise<boolean> {
    return this.presence.isAlive(processToken);
  }

  /** A bucket is never full. */
  async freeBytes(): Promise<number> {
    return Number.MAX_SAFE_INTEGER;
  }

  async ageMs(folder: string): Promise<number | null> {
    let newest: number | null = null;
    for await (const page of this.objects.list(`${nameOf(folder)}/`)) {
      for (const { modifiedMs } of page) newest = Math.max(newest ?? 0, modifiedMs);
    }
    return newest === null ? null : Math.max(0, (await this.presence.nowMs()) - newest);
  }

  async removePartial(folder: string): Promise<void> {
    await this.presence.sweep();
    const now = await this.presence.nowMs();
    await abortAbandoned(this.objects, nameOf(folder), (token) => this.presence.isAlive(token), now);
  }

  readText(key: string): Promise<string | null> {
    return textOf(this.objects, nameOf(key));
  }

  async localPath(key: string): Promise<string> {
    const { etag } = await this.head(key);
    return this.options.copies.path(`${key}@${etag.replaceAll('"', '')}`, () => this.stream(key));
  }

  async open(key: string): Promise<BlobRanges> {
    const { sizeBytes, etag } = await this.head(key);
    const address = this.objects.addressOf(nameOf(key));
    const ranges = new S3Ranges(this.options.s3, address, false, `Stored file ${key}`);
    const cached = `s3://${address.bucket}/${address.key}\n${etag}`;
    return new RangeSource(ranges, { sizeBytes, etag }, cached, this.options.pool);
  }

  async *stream(key: string, range?: { readonly start: number; readonly end: number }): AsyncGenerator<Buffer> {
    if (range && range.start >= range.end) return;
    const body = await this.objects.get(nameOf(key), range);
    if (body === null) throw new BlobNotFoundError(key);
    yield* body as AsyncIterable<Buffer>;
  }

  async move(from: string, to: string): Promise<void> {
    const { sizeBytes } = await this.head(from);
    const stillAlive = this.presence.fence();
    const { copyBytes } = this.options.sizes ?? PART_SIZES;
    if (sizeBytes > copyBytes) await this.copyInParts(from, to, sizeBytes, stillAlive);
    else {
      const { sdk } = this.options.s3;
      const CopySource = copySource(this.objects, nameOf(from));
      const command = new sdk.CopyObjectCommand({ ...this.objects.named(nameOf(to)), CopySource });
      await this.objects.send((client) => client.send(command));
    }
    await this.objects.remove([nameOf(from)]);
  }

  async remove(key: string): Promise<void> {
    await this.objects.remove([nameOf(key)]);
  }

  async removeFolder(folder: string): Promise<void> {
    for await (const page of this.objects.list(`${nameOf(folder)}/`)) {
      if (page.length > 0) await this.objects.remove(page.map(({ name }) => name));
    }
  }

  list(folder: string): Promise<string[]> {
    return this.objects.namesIn(nameOf(folder));
  }

  private async head(key: string): Promise<{ readonly sizeBytes: number; readonly etag: string }> {
    const found = await this.objects.head(nameOf(key));
    if (found === null) throw new BlobNotFoundError(key);
    return found;
  }

  private async copyInParts(from: string, to: string, sizeBytes: number, stillAlive: () => void): Promise<void> {
    const { copyBytes } = this.options.sizes ?? PART_SIZES;
    const write = await MultipartWrite.begin(this.objects, nameOf(to), this.presence.token);
    try {
      for (let start = 0; start < sizeBytes; start += copyBytes) {
        await write.copy(nameOf(from), start, Math.min(start + copyBytes, sizeBytes));
      }
      stillAlive();
      await write.complete();
    } catch (error) {
      await write.abort().catch(() => undefined); // the sweeper finds its marker
      throw error;
    }
  }
}

/** The name of a key below the prefix. @throws {BlobNotFoundError} for one that could leave it */
const nameOf = (key: string): string => namesOf(key).join('/');
