import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { StorageUnavailableError } from '../blob-store.ts';
import { type BucketObjects, hasStatus } from './bucket-objects.ts';
import { parseJson } from '../parse-json.ts';

/** Parts of one write that are on their way at once. */
const PARTS_AT_ONCE = 3;
/** Markers of multipart writes under way: `<process>.<random>`, each with key and identifier of the upload. */
const WRITING = '.writing';
/** Upload that has no marker, as its process died between the two requests: it holds no bytes. */
const UNMARKED_MS = 24 * 3600_000;

/** Sizes that S3 and its limit of 10,000 parts allow. */
export interface PartSizes {
  /** Part of a write, at least 5 MiB, bytes. */
  readonly writeBytes: number;
  /** Larger objects are copied in parts of this size, bytes. */
  readonly copyBytes: number;
}

export const PART_SIZES: PartSizes = { writeBytes: 16 * 2 ** 20, copyBytes: 256 * 2 ** 20 };
export const MAX_PARTS = 10_000;

const Marker = z.object({ name: z.string(), uploadId: z.string() });

interface Part {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
}

/** A multipart upload, which shows nothing before it is complete. A marker tells others whose it is. */
export class MultipartWrite {
  private readonly parts: Promise<Part>[] = [];

  private constructor(
    private readonly objects: BucketObjects,
    private readonly name: string,
    private readonly uploadId: string,
    private readonly writer: string,
    private readonly marker: string,
  ) {}

  /** @param token of this process */
  static async begin(objects: BucketObjects, name: string, token: string): Promise<MultipartWrite> {
    const { sdk } = objects.s3;
    const writer = randomUUID();
    const { UploadId } = await objects.send((client) =>
      client.send(
        new sdk.CreateMultipartUploadCommand({
          ...objects.named(name),
          ContentType: 'application/octet-stream',
          Metadata: { writer },
        }),
      ),
    );
    if (UploadId === undefined) throw new StorageUnavailableError('a multipart upload has no identifier');
    const marker = `${WRITING}/${token}.${randomUUID()}`;
    await objects.put(
      marker,
      Buffer.from(JSON.stringify({ name, uploadId: UploadId } satisfies z.infer<typeof Marker>)),
    );
    return new MultipartWrite(objects, name, UploadId, writer, marker);
  }

  /** Sends the next part. Resolves when there is room for another. @param bytes not to be changed any more */
  add(bytes: Uint8Array): Promise<void> {
    const { sdk } = this.objects.s3;
    return this.next(async (numbered) => {
      const command = new sdk.UploadPartCommand({ ...numbered, Body: bytes });
      return (await this.objects.send((client) => client.send(command))).ETag;
    });
  }

  /** Lets the server copy the next part of another object. */
  copy(from: string, start: number, end: number): Promise<void> {
    const { sdk } = this.objects.s3;
    return this.next(async (numbered) => {
      const CopySource = copySource(this.objects, from);
      const command = new sdk.UploadPartCopyCommand({
        ...numbered,
        CopySource,
        CopySourceRange: `bytes=${start}-${end - 1}`,
      });
      return (await this.objects.send((client) => client.send(command))).CopyPartResult?.ETag;
    });
  }

  async complete(): Promise<void> {
    const { sdk } = this.objects.s3;
    const Parts = await Promise.all(this.parts);
    const input = { ...this.objects.named(this.name), UploadId: this.uploadId, MultipartUpload: { Parts } };
    try {
      await this.objects.send((client) => client.send(new sdk.CompleteMultipartUploadCommand(input)));
    } catch (error) {
      // An answer may have been lost on its way, and the request repeated.
      if (!hasStatus(error, 404) || (await this.objects.head(this.name))?.writer !== this.writer) throw error;
    }
    await this.objects.remove([this.marker]);
  }

  /** Removes the parts that were sent. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.parts);
    await abortUpload(this.objects, this.name, this.uploadId);
    await this.objects.remove([this.marker]);
  }

  private async next(
    send: (numbered: {
      Bucket: string;
      Key: string;
      UploadId: string;
      PartNumber: number;
    }) => Promise<string | undefined>,
  ): Promise<void> {
    const PartNumber = this.parts.length + 1;
    const numbered = { ...this.objects.named(this.name), UploadId: this.uploadId, PartNumber };
    const part = send(numbered).then((ETag) => ({ PartNumber, ETag }));
    part.catch(() => undefined); // whoever waits for it is told
    this.parts.push(part);
    await this.parts.at(-PARTS_AT_ONCE);
  }
}

/** `bucket/key`, encoded. */
export function copySource(objects: BucketObjects, name: string): string {
  const { bucket, key } = objects.addressOf(name);
  return [bucket, ...key.split('/')].map(encodeURIComponent).join('/');
}

/**
 * Aborts the multipart writes of dead processes.
 * @param folder whose objects they write
 * @param nowMs time of the server
 */
export async function abortAbandoned(
  objects: BucketObjects,
  folder: string,
  isAlive: (token: string) => Promise<boolean>,
  nowMs: number,
): Promise<void> {
  const living = new Set<string>();
  for (const name of await objects.namesIn(WRITING)) {
    const marker = `${WRITING}/${name}`;
    const written = await textOf(objects, marker);
    if (written === null) continue;
    const upload = Marker.parse(parseJson(written));
    if (await isAlive(name.split('.')[0]!)) living.add(upload.uploadId);
    else {
      await abortUpload(objects, upload.name, upload.uploadId);
      await objects.remove([marker]);
    }
  }
  const { sdk } = objects.s3;
  const { Bucket, Key: Prefix } = objects.named(`${folder}/`);
  const listed = await objects.send((client) => client.send(new sdk.ListMultipartUploadsCommand({ Bucket, Prefix })));
  for (const { Key, UploadId, Initiated } of listed.Uploads ?? []) {
    const old = Initiated !== undefined && nowMs - Initiated.getTime() > UNMARKED_MS;
    if (old && !living.has(UploadId!)) await abortUpload(objects, objects.nameOf(Key!), UploadId!);
  }
}

async function abortUpload(objects: BucketObjects, name: string, uploadId: string): Promise<void> {
  const { sdk } = objects.s3;
  const command = new sdk.AbortMultipartUploadCommand({ ...objects.named(name), UploadId: uploadId });
  await objects.find((client) => client.send(command));
}

/** A small object as text; null when there is none. */
export async function textOf(objects: BucketObjects, name: string): Promise<string | null> {
  const body = await objects.get(name);
  if (body === null) return null;
  const parts: Uint8Array[] = [];
  for await (const part of body as AsyncIterable<Uint8Array>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
