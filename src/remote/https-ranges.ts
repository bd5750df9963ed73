import { DownloadFailedError, type GuardedHttp, type HttpAnswer, withoutSecrets } from './guarded-http.ts';
import { PassingRangeError } from './range-errors.ts';
import {
  type ByteRange,
  parseContentRange,
  parseRetryAfter,
  type RangeAnswer,
  type RangeFetcher,
  strongTag,
} from './range-fetcher.ts';

/** Ranges of a file over https. Every request passes the same guards as a download. */
export class HttpsRanges implements RangeFetcher {
  private url: string;

  /** @param renewed looks up the URL again when it has expired; null if it stays the same */
  constructor(
    private readonly http: GuardedHttp,
    url: string,
    private readonly renewed: (() => Promise<string | null>) | null = null,
  ) {
    this.url = url;
  }

  get name(): string {
    return withoutSecrets(new URL(this.url));
  }

  async fetch(range: ByteRange, etag: string | null, signal: AbortSignal): Promise<RangeAnswer> {
    return rangeAnswer(await this.request(range, etag, signal));
  }

  /** One request for a range, whose answer may also be the whole file. */
  async request(range: ByteRange, etag: string | null, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = { range: `bytes=${range.start}-${range.end - 1}`, ...(etag === null ? {} : { 'if-range': etag }) };
    try {
      return await this.http.request(this.url, { headers, signal });
    } catch (error) {
      if (error instanceof DownloadFailedError) throw new PassingRangeError(error.message, null, { cause: error });
      throw error;
    }
  }

  async renew(): Promise<boolean> {
    const url = await this.renewed?.();
    if (url === null || url === undefined || url === this.url) return false;
    this.url = url;
    return true;
  }
}

/** Bytes that are compressed for the way have other offsets than those of the file, so such an answer has no range. */
export function rangeAnswer({ statusCode, headers, body }: HttpAnswer): RangeAnswer {
  const encoded = !['', 'identity'].includes(headers['content-encoding'] ?? '');
  return {
    statusCode,
    etag: strongTag(headers.etag),
    range: encoded ? null : parseContentRange(headers['content-range']),
    retryAfterS: parseRetryAfter(headers['retry-after'], new Date()),
    body,
  };
}
