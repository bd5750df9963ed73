import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { StorageUnavailableError } from '../blob-store.ts';
import type { S3Address } from '../remote/s3-address.ts';
import type { OpenS3 } from '../remote/s3-client.ts';

/** What a bucket says of an object. */
export interface ObjectHead {
  readonly sizeBytes: number;
  /** Quoted. */
  readonly etag: string;
  /** @see ObjectWriter */
  readonly writer: string | undefined;
}

/** An object in a listing. */
export interface ListedObject {
  /** Below the prefix of the store. */
  readonly name: string;
  readonly modifiedMs: number;
  readonly etag: string;
}

/** Objects that one request removes. */
const DELETED_AT_ONCE = 1000;
/** How often a write is sent again that the server refused for one at the same time. */
const CONFLICTS = 10;

/** The objects below a prefix of a bucket, by names relative to it. Failures are {@link StorageUnavailableError}. */
export class BucketObjects {
  private readonly prefix: string;

  /** @param at bucket and prefix */
  constructor(
    readonly s3: OpenS3,
    private readonly at: S3Address,
  ) {
    this.prefix = at.key === '' || at.key.endsWith('/') ? at.key : `${at.key}/`;
  }

  addressOf(name: string): S3Address {
    return { bucket: this.at.bucket, key: this.prefix + name };
  }

  /** Writes an object; readers see all of it or nothing. */
  async put(name: string, body: Uint8Array): Promise<void> {
    const { sdk } = this.s3;
    await this.send((client) => client.send(new sdk.PutObjectCommand({ ...this.named(name), ...content(body) })));
  }

  /**
   * Writes an object unless there is one, by `If-None-Match: *`.
   * @returns false when there is one that somebody else has written
   */
  async putNew(name: string, body: Uint8Array): Promise<boolean> {
    const { sdk } = this.s3;
    const Metadata = { writer: randomUUID() };
    const input = { ...this.named(name), ...content(body), Metadata, IfNoneMatch: '*' };
    for (let conflicts = 0; ; conflicts++) {
      try {
        await this.send((client) => client.send(new sdk.PutObjectCommand(input)));
        return true;
      } catch (error) {
        if (hasStatus(error, 409) && conflicts < CONFLICTS) continue;
        if (!hasStatus(error, 412)) throw error;
        // An answer may have been lost on its way, and the request repeated.
        return (await this.head(name))?.writer === Metadata.writer;
      }
    }
  }

  /** @returns null when there is none */
  async head(name: string): Promise<ObjectHead | null> {
    const { sdk } = this.s3;
    const found = await this.find((client) => client.send(new sdk.HeadObjectCommand(this.named(name))));
    return found && { sizeBytes: found.ContentLength ?? 0, etag: found.ETag ?? '', writer: found.Metadata?.['writer'] };
  }

  /**
   * @param range the end is not included
   * @returns null when there is none
   */
  async get(name: string, range?: { readonly start: number; readonly end: number }): Promise<Readable | null> {
    const { sdk } = this.s3;
    const part = range && { Range: `bytes=${range.start}-${range.end - 1}` };
    const command = new sdk.GetObjectCommand({ ...this.named(name), ...part });
    const found = await this.find((client) => client.send(command));
    return found && (found.Body as Readable);
  }

  /** Removes objects, those that there are. */
  async remove(names: readonly string[]): Promise<void> {
    const { sdk } = this.s3;
    if (names.length === 1) {
      await this.find((client) => client.send(new sdk.DeleteObjectCommand(this.named(names[0]!))));
      return;
    }
    for (let from = 0; from < names.length; from += DELETED_AT_ONCE) {
      const Objects = names.slice(from, from + DELETED_AT_ONCE).map((name) => ({ Key: this.prefix + name }));
      const command = new sdk.DeleteObjectsCommand({ Bucket: this.at.bucket, Delete: { Objects, Quiet: true } });
      const [failed] = (await this.send((client) => client.send(command))).Errors ?? [];
      if (failed) throw new StorageUnavailableError(`${failed.Code}: ${failed.Message}`);
    }
  }

  /** All objects whose name begins so, in pages. */
  async *list(start: string): AsyncGenerator<ListedObject[]> {
    for await (const { objects } of this.pages(start)) yield objects;
  }

  /** Names directly in a folder: of objects and of folders. */
  async namesIn(folder: string): Promise<string[]> {
    const names: string[] = [];
    for await (const { objects, folders } of this.pages(`${folder}/`, '/')) {
      names.push(...objects.map(({ name }) => name), ...folders);
    }
    return names.map((name) => name.slice(folder.length + 1).replace(/\/$/, ''));
  }

  /** Sends a request. @throws {StorageUnavailableError} with the error of the SDK as its cause */
  async send<T>(request: (client: OpenS3['client']) => Promise<T>): Promise<T> {
    try {
      return await request(this.s3.client);
    } catch (error) {
      const { name, message } = error as Error;
      throw new StorageUnavailableError(message === '' || message === 'UnknownError' ? name : message, {
        cause: error,
      });
    }
  }

  /** As {@link send}. @returns null when the object does not exist */
  async find<T>(request: (client: OpenS3['client']) => Promise<T>): Promise<T | null> {
    try {
      return await this.send(request);
    } catch (error) {
      if (hasStatus(error, 404) && causeOf(error).name !== 'NoSuchBucket') return null;
      throw error;
    }
  }

  /** Bucket and key, as every request names them. */
  named(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.at.bucket, Key: this.prefix + name };
  }

  /** The name of a key. */
  nameOf(key: string): string {
    return key.slice(this.prefix.length);
  }

  private async *pages(
    start: string,
    delimiter?: string,
  ): AsyncGenerator<{ readonly objects: ListedObject[]; readonly folders: string[] }> {
    const { sdk } = this.s3;
    let token: string | undefined;
    do {
      const command = new sdk.ListObjectsV2Command({
        Bucket: this.at.bucket,
        Prefix: this.prefix + start,
        ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.send((client) => client.send(command));
      yield {
        objects: (page.Contents ?? []).map(({ Key, LastModified, ETag }) => ({
          name: this.nameOf(Key!),
          modifiedMs: LastModified?.getTime() ?? 0,
          etag: ETag ?? '',
        })),
        folders: (page.CommonPrefixes ?? []).map(({ Prefix }) => this.nameOf(Prefix!)),
      };
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }
}

/** Whether a failed request was answered with a status code. */
export function hasStatus(error: unknown, statusCode: number): boolean {
  return causeOf(error).$metadata?.httpStatusCode === statusCode;
}

function causeOf(error: unknown): { readonly name?: string; readonly $metadata?: { httpStatusCode?: number } } {
  return error instanceof StorageUnavailableError ? ((error.cause ?? {}) as object) : {};
}

const content = (Body: Uint8Array) => ({ Body, ContentType: 'application/octet-stream' });
