import { FileTooLargeError } from '../blob-store.ts';
import {
  answeredError,
  connectionError,
  discard,
  type GuardedHttp,
  type HttpAnswer,
  withoutSecrets,
} from './guarded-http.ts';

/** Limits of a download. */
export interface DownloadLimits {
  readonly maxBytes: number;
  /** Most time for a whole download, redirects included, milliseconds. */
  readonly totalMs?: number;
}

/** A slow server must not hold a request, and the disk that it fills, for ever. */
const TOTAL_MS = 30 * 60_000;

/** Downloads whole files over https. */
export class Downloader {
  constructor(
    private readonly http: GuardedHttp,
    private readonly limits: DownloadLimits,
  ) {}

  /**
   * @returns the bytes of the file as a stream; reading it may throw {@link DownloadFailedError}
   * @throws {UrlNotAllowedError | AddressNotAllowedError | HostNotFoundError | FileTooLargeError | DownloadFailedError}
   */
  async fetch(url: string): Promise<AsyncIterable<Uint8Array>> {
    const deadline = AbortSignal.timeout(this.limits.totalMs ?? TOTAL_MS);
    const answer = await this.http.request(url, { signal: deadline });
    return this.bytesOf(answer, deadline);
  }

  /**
   * The bytes of an answer to a request for the whole file.
   * @throws {FileTooLargeError | DownloadFailedError}
   */
  bytesOf({ url, statusCode, headers, body }: HttpAnswer, deadline: AbortSignal): AsyncIterable<Uint8Array> {
    const length = Number(headers['content-length']);
    if (statusCode !== 200 || length > this.limits.maxBytes) {
      discard(body);
      throw statusCode === 200 ? new FileTooLargeError(length, this.limits.maxBytes) : answeredError(url, statusCode);
    }
    return readable(body, withoutSecrets(url), deadline);
  }
}

async function* readable(
  body: AsyncIterable<Uint8Array>,
  url: string,
  deadline: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw connectionError(url, cause, deadline);
  }
}
