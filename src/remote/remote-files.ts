import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { isTiff } from '../imagery/open-image.ts';
import type { Downloader } from './download.ts';
import { discard, type GuardedHttp, UrlNotAllowedError, withoutSecrets } from './guarded-http.ts';
import { HttpsRanges, rangeAnswer } from './https-ranges.ts';
import { PassingRangeError, SourceRefusedError, SourceUnavailableError } from './range-errors.ts';
import type { RangeAnswer, RangeFetcher } from './range-fetcher.ts';
import type { FileVersion } from './range-reader.ts';
import { FIRST_READ_BYTES, type RangePool, RangeSource } from './range-source.ts';
import { isUnderS3, parseS3, type S3Address, S3AddressError, S3NotConfiguredError } from './s3-address.ts';
import type { OpenS3 } from './s3-client.ts';
import { S3Ranges } from './s3-ranges.ts';

/** A file of another place that is read there, by range. */
export interface RemoteReference extends FileVersion {
  /** `https://` with its query, which may be a signature, or `s3://bucket/key`. */
  readonly url: string;
  /** The STAC item and asset that say the address, should it expire. */
  readonly item?: { readonly url: string; readonly asset: string } | undefined;
}

/** A remote file as it was found. */
export type FoundFile =
  | {
      readonly kind: 'RANGES';
      readonly reference: RemoteReference;
      readonly source: RangeSource;
      /** Lower-case hex; see {@link contentKey}. */
      readonly contentKey: string;
    }
  | { readonly kind: 'WHOLE'; readonly bytes: AsyncIterable<Uint8Array> };

/** Access to S3 for references. */
export interface S3Access {
  readonly open: () => Promise<OpenS3>;
  readonly requesterPays: boolean;
  /** Prefixes that references may name; empty: every bucket that the keys open. */
  readonly sources: readonly S3Address[];
  /** Prefix of the service's own files, which references may not name; null for none. */
  readonly own: S3Address | null;
}

/** Smaller files are copied: that costs no more than reading them by range, and gives the hash of the file. */
const SMALL_BYTES = 256 * 2 ** 10;
/** Most time for finding out what a server has, and for a whole download, milliseconds. */
const DOWNLOAD_MS = 30 * 60_000;

/**
 * Names the content of a file of which only a part was read: SHA-256 of its strong ETag, size and first 16 KiB (of a COG:
 * header and directories). Two files with the same key have the same ETag; what that is worth is the server's to say.
 */
function contentKey({ etag, sizeBytes }: FileVersion, head: Uint8Array): string {
  const headSha256 = createHash('sha256').update(head).digest('hex');
  return createHash('sha256').update([etag, sizeBytes, headSha256].join('\n')).digest('hex');
}

/** Files over https and in S3: large TIFFs by range, everything else as a download. */
export class RemoteFiles {
  /** @param itemHref looks up the URL of an asset again in its STAC item */
  constructor(
    private readonly http: GuardedHttp,
    private readonly downloader: Downloader,
    private readonly pool: RangePool,
    private readonly s3: S3Access | null,
    private readonly itemHref: (url: string, asset: string) => Promise<string | null>,
  ) {}

  /**
   * Finds a file by its first bytes. One that names its version by a strong ETag, answers ranges and is a TIFF is read by
   * range from then on.
   * @throws errors of guards, server and S3
   */
  async find(url: string, item?: RemoteReference['item']): Promise<FoundFile> {
    return url.startsWith('s3:') ? this.findInS3(url) : this.findOverHttps(url, item);
  }

  /** Opens a file that was found before; reading it throws `SOURCE_CHANGED` when it is another by now. */
  async source(reference: RemoteReference): Promise<RangeSource> {
    return this.sourceOf(await this.fetcherOf(reference), reference);
  }

  private async fetcherOf({ url, item }: RemoteReference): Promise<RangeFetcher> {
    if (url.startsWith('s3:')) return this.s3Ranges(url);
    return new HttpsRanges(this.http, url, item ? () => this.itemHref(item.url, item.asset) : null);
  }

  private sourceOf(fetcher: RangeFetcher, reference: RemoteReference): RangeSource {
    const { etag, sizeBytes } = reference;
    return new RangeSource(fetcher, { etag, sizeBytes }, `${fetcher.name}\n${etag}\n${sizeBytes}`, this.pool);
  }

  private async findOverHttps(url: string, item: RemoteReference['item']): Promise<FoundFile> {
    const ranges = new HttpsRanges(this.http, url);
    const deadline = AbortSignal.timeout(DOWNLOAD_MS);
    const first = { start: 0, end: FIRST_READ_BYTES };
    const answer = await ranges.request(first, null, deadline).catch((error: unknown) => {
      throw error instanceof PassingRangeError ? error.cause : error;
    });
    if (answer.statusCode !== 206 && answer.statusCode !== 416) {
      return { kind: 'WHOLE', bytes: this.downloader.bytesOf(answer, deadline) };
    }
    const found = await this.rangesOf(rangeAnswer(answer), { url, item }, () => new HttpsRanges(this.http, url));
    return found ?? { kind: 'WHOLE', bytes: await this.downloader.fetch(url) };
  }

  private async findInS3(url: string): Promise<FoundFile> {
    const ranges = await this.s3Ranges(url);
    const answer = await this.firstAnswer(ranges, { start: 0, end: FIRST_READ_BYTES });
    const found = await this.rangesOf(answer, { url, item: undefined }, () => ranges);
    if (found) return found;
    const whole = await this.firstAnswer(ranges, { start: 0, end: Number.MAX_SAFE_INTEGER });
    return { kind: 'WHOLE', bytes: whole.body as AsyncIterable<Uint8Array> };
  }

  private async firstAnswer(ranges: S3Ranges, range: { start: number; end: number }): Promise<RangeAnswer> {
    const answer = await ranges.fetch(range, null, AbortSignal.timeout(DOWNLOAD_MS)).catch((cause: Error) => {
      throw new SourceUnavailableError(ranges.name, 1, cause.message, { cause });
    });
    if (answer.statusCode === 200 || answer.statusCode === 206) return answer;
    discard(answer.body);
    throw new SourceRefusedError(ranges.name, answer.statusCode, `the server answered ${answer.statusCode}`);
  }

  /** @returns null when the file is to be copied */
  private async rangesOf(
    { etag, range, body, statusCode }: RangeAnswer,
    address: Pick<RemoteReference, 'url' | 'item'>,
    fetcher: () => RangeFetcher,
  ): Promise<FoundFile | null> {
    const usable = statusCode === 206 && etag !== null && range?.start === 0 && range.end === FIRST_READ_BYTES;
    if (!usable || range.sizeBytes <= SMALL_BYTES) {
      discard(body);
      return null;
    }
    const head = await firstBytes(body, FIRST_READ_BYTES);
    if (head === null || !isTiff(head)) return null;
    const reference = { ...address, etag, sizeBytes: range.sizeBytes };
    const source = this.sourceOf(fetcher(), reference);
    source.hold(head);
    return { kind: 'RANGES', reference, source, contentKey: contentKey(reference, head) };
  }

  private async s3Ranges(url: string): Promise<S3Ranges> {
    if (!this.s3) throw new S3NotConfiguredError(withoutSecrets(new URL(url)));
    const object = parseS3(url);
    const { sources, own } = this.s3;
    const isOpen = sources.length === 0 || sources.some((prefix) => isUnderS3(object, prefix));
    if (!isOpen || (own && isUnderS3(object, own))) {
      throw new S3AddressError(
        `s3://${object.bucket}/${object.key} is not in an allowed bucket or prefix (TERRAQL_S3_SOURCES).`,
      );
    }
    if (object.key === '') throw new UrlNotAllowedError(`s3://${object.bucket}`, 'it does not name an object');
    return new S3Ranges(await this.s3.open(), object, this.s3.requesterPays);
  }
}

/** @returns null when there are fewer or more */
async function firstBytes(body: Readable, length: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let received = 0;
  try {
    for await (const part of body as AsyncIterable<Uint8Array>) {
      parts.push(part);
      received += part.length;
      if (received > length) return null;
    }
  } catch {
    return null; // the download that follows says what is wrong
  } finally {
    discard(body);
  }
  return received === length ? new Uint8Array(Buffer.concat(parts)) : null;
}
