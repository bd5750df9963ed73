import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { LRUCache } from 'lru-cache';
import { AppError } from '../errors.ts';

/** The file behind a scene is not the one that was registered. */
export class SourceChangedError extends AppError {
  readonly code = 'SOURCE_CHANGED';
  constructor(
    readonly source: string,
    registered: string,
  ) {
    super(`The file ${source} has changed since it was registered (SHA-256 ${registered}). Register it again.`);
  }
}

/**
 * Tells whether files are the ones that were registered. A file is hashed when it is first seen in this process, and again
 * when its identity, size or times differ; replacing or rewriting a file changes its status-change time at least.
 */
export class SourceFingerprints {
  private readonly hashes = new LRUCache<string, string>({ max: 10_000 });

  /**
   * Lower-case hex SHA-256 of a file.
   * @throws {SourceChangedError} when the file changes while it is read
   */
  async sha256(path: string): Promise<string> {
    const status = await statusOf(path);
    const known = this.hashes.get(status);
    if (known !== undefined) return known;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
    const sha256 = hash.digest('hex');
    if ((await statusOf(path)) !== status) throw new SourceChangedError(path, sha256);
    this.hashes.set(status, sha256);
    return sha256;
  }

  /** @throws {SourceChangedError} unless the file has this hash */
  async check(path: string, sha256: string): Promise<void> {
    if ((await this.sha256(path)) !== sha256) throw new SourceChangedError(path, sha256);
  }
}

async function statusOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join('/');
}
