import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import {
  connectionError,
  discard,
  DownloadFailedError,
  type GuardedHttp,
  withoutSecrets,
} from '../remote/guarded-http.ts';
import { PassingRangeError, SourceRefusedError, SourceUnavailableError } from '../remote/range-errors.ts';
import { parseRetryAfter } from '../remote/range-fetcher.ts';
import { PASSING, pauseBefore, RETRY } from '../remote/range-reader.ts';
import type { RangePool } from '../remote/range-source.ts';
import { TileSourceError } from './tile-template.ts';

/** A tile as the service answered. */
export interface FetchedTile {
  readonly bytes: Uint8Array;
  /** What the answer says that it is, for messages. */
  readonly contentType: string;
}

/** Largest answer, bytes: a tile of 1024 pixels without compression. */
const MAX_TILE_BYTES = 4 * 2 ** 20;
/** What services answer where they have no tile. */
const MISSING = new Set([204, 404]);

/** Fetches tiles with the guards of every download, in several attempts if it must. */
export class TileFetcher {
  /** @param pool whose turns and retries are shared with the reading of images by range */
  constructor(
    private readonly http: GuardedHttp,
    private readonly pool: Pick<RangePool, 'turns' | 'retry' | 'closing'>,
  ) {}

  /**
   * @returns null where the service has no tile (404, 204, or an empty answer)
   * @throws {SourceUnavailableError | SourceRefusedError | TileSourceError} and errors of the guards
   */
  async fetch(url: string, signal: AbortSignal): Promise<FetchedTile | null> {
    const policy = this.pool.retry ?? RETRY;
    const limited = AbortSignal.any([signal, this.pool.closing]);
    const name = withoutSecrets(new URL(url));
    for (let attempt = 1; ; attempt++) {
      try {
        const request = AbortSignal.any([limited, AbortSignal.timeout(policy.requestMs)]);
        return await this.pool.turns.take(() => this.attempt(url, request), limited);
      } catch (error) {
        limited.throwIfAborted();
        if (!(error instanceof PassingRangeError)) throw error;
        const pauseMs = pauseBefore(attempt, error.retryAfterS, policy);
        if (attempt >= policy.attempts || pauseMs === null) {
          throw new SourceUnavailableError(name, attempt, error.message, { cause: error });
        }
        await sleep(pauseMs, undefined, { signal: limited });
      }
    }
  }

  private async attempt(url: string, signal: AbortSignal): Promise<FetchedTile | null> {
    const answer = await this.http.request(url, { signal }).catch((error: unknown) => {
      if (error instanceof DownloadFailedError) throw new PassingRangeError(error.message, null, { cause: error });
      throw error;
    });
    const { statusCode, headers, body } = answer;
    const name = withoutSecrets(answer.url);
    try {
      if (MISSING.has(statusCode)) return null;
      const reason = `the server answered ${statusCode}`;
      if (PASSING.has(statusCode)) {
        throw new PassingRangeError(reason, parseRetryAfter(headers['retry-after'], new Date()));
      }
      if (statusCode !== 200) throw new SourceRefusedError(name, statusCode, reason);
      const bytes = await bytesOf(body, name, signal);
      return bytes.length === 0 ? null : { bytes, contentType: headers['content-type'] ?? 'no content type' };
    } finally {
      discard(body);
    }
  }
}

async function bytesOf(body: AsyncIterable<Uint8Array>, name: string, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of body) {
      length += part.length;
      if (length > MAX_TILE_BYTES) throw new TileSourceError(`${name} is longer than ${MAX_TILE_BYTES} bytes.`);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new PassingRangeError(connectionError(name, cause, signal).message, null, { cause });
  }
  return Buffer.concat(parts);
}
