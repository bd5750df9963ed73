import { Downloader, type DownloadLimits } from './download.ts';
import { GuardedHttp, type HttpOptions } from './guarded-http.ts';
import { RangeCache } from './range-cache.ts';
import type { RetryPolicy } from './range-reader.ts';
import type { RangePool } from './range-source.ts';
import { RemoteFiles, type S3Access } from './remote-files.ts';
import { stacAssetHref } from './stac-href.ts';
import { Turns } from './turns.ts';

export interface RemoteOptions extends DownloadLimits, HttpOptions {
  /** Memory for ranges, bytes. */
  readonly cacheBytes?: number;
  /** Concurrent range requests. */
  readonly requests?: number;
  readonly retry?: RetryPolicy;
  /** Null: s3:// references are refused. */
  readonly s3?: S3Access | null;
}

/** Remote files with the connections that they use. */
export interface OpenRemoteFiles {
  readonly files: RemoteFiles;
  readonly http: GuardedHttp;
  /** Cache, turns and retries of ranges, for files of other sources. */
  readonly pool: RangePool;
  /** Aborts the requests in progress. */
  close(): Promise<void>;
}

/** Makes the access to other places that all scenes of a process share. */
export function openRemoteFiles(options: RemoteOptions): OpenRemoteFiles {
  const { cacheBytes = 64 * 2 ** 20, requests = 8, retry, s3 = null } = options;
  const closing = new AbortController();
  const http = new GuardedHttp(options);
  const pool = {
    cache: new RangeCache(cacheBytes),
    turns: new Turns(requests),
    closing: closing.signal,
    ...(retry ? { retry } : {}),
  };
  const files = new RemoteFiles(http, new Downloader(http, options), pool, s3, (url, asset) =>
    stacAssetHref(http, url, asset),
  );
  return {
    files,
    http,
    pool,
    async close() {
      closing.abort(new Error('the service is closing'));
      await http.close();
    },
  };
}
