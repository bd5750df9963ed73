import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BlobLeases } from './blob-leases.ts';
import { AppError, OutageError } from './errors.ts';
import { inFolder, isCode, isFull, partialOf, processOfPartial, writeExclusive } from './exclusive-file.ts';
import { ProcessPresence } from './process-presence.ts';

/** A file is larger than allowed or announced. */
export class FileTooLargeError extends AppError {
  readonly code = 'FILE_TOO_LARGE';
  constructor(
    readonly sizeBytes: number,
    readonly maxBytes: number,
    readonly complete = true,
  ) {
    super(`The file has ${complete ? '' : 'at least '}${sizeBytes} bytes; the limit is ${maxBytes}.`);
  }
}

/** The disk of uploads, downloads and kept windows has no room. */
export class StorageFullError extends OutageError {
  readonly code = 'STORAGE_FULL';
  override readonly retryAfterS = 60;
  /** @param needed what does not fit */
  constructor(needed: string, options?: ErrorOptions) {
    super(`The file storage has no room for ${needed}; retry later, or ask an operator to free space.`, options);
  }
}

/** The bucket of uploads, downloads and kept windows does not answer, or not as it should. */
export class StorageUnavailableError extends OutageError {
  readonly code = 'STORAGE_UNAVAILABLE';
  override readonly retryAfterS = 10;
  constructor(reason: string, options?: ErrorOptions) {
    super(`The file storage cannot be used for now (${reason}); retry later.`, options);
  }
}

/** The store has no blob with that key. */
export class BlobNotFoundError extends AppError {
  readonly code = 'BLOB_NOT_FOUND';
  constructor(readonly key: string) {
    super(`Stored file ${key} does not exist.`);
  }
}

/** Size and hash of a written blob. */
export interface WrittenBlob {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A request by which someone without keys writes a file. */
export interface WriteAddress {
  /** Signed, for PUT. */
  readonly url: string;
  /** To be sent as they are. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Random access to the bytes of a blob that lies on no disk of this machine. */
export interface BlobRanges {
  readonly sizeBytes: number;
  /** @returns exactly `length` bytes, fewer only where the file ends */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/**
 * Large files by key, shared by all processes of an installation. A key is a path of names joined by slashes; the part
 * before the last slash is its folder.
 */
export interface BlobStore {
  /**
   * Writes a file from a stream, atomically: readers see all of it or nothing.
   * @throws {FileTooLargeError} as soon as more than `maxBytes` have arrived; {@link StorageFullError}
   */
  write(key: string, bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<WrittenBlob>;
  /**
   * A request by which others write a file of exactly that size, unless there is one, without passing this service.
   * @param ttlS seconds for which it is good, at most
   * @returns null for a store that takes none, or none of that size
   */
  writeAddress(key: string, sizeBytes: number, ttlS: number): Promise<WriteAddress | null>;
  /** Writes a small text at once, unless the key is taken; of several callers exactly one gets true. */
  claim(key: string, text: string): Promise<boolean>;
  /**
   * Takes a key for this process, until it is removed or the process ends.
   * @returns false while a living process holds it
   */
  lease(key: string): Promise<boolean>;
  /** Ends a lease of this process. One that another process took over, as this one seemed dead, stays. */
  release(key: string): Promise<void>;
  /** Whether a living process holds the lease of a key. */
  isLeased(key: string): Promise<boolean>;
  /** Names this process, for {@link isAlive}. */
  processToken(): Promise<string>;
  isAlive(processToken: string): Promise<boolean>;
  /** Bytes that can still be written. */
  freeBytes(): Promise<number>;
  /** Time since something in a folder was created, renamed or removed, milliseconds; null without the folder. */
  ageMs(folder: string): Promise<number | null>;
  /** Removes what dead processes left half-written in the folders of a folder. */
  removePartial(folder: string): Promise<void>;
  /** @returns null when there is none */
  readText(key: string): Promise<string | null>;
  /** Local path of the file, or of a copy of it, which may be gone later. @throws {BlobNotFoundError} */
  localPath(key: string): Promise<string>;
  /** Local path of the file where it lies on a disk, else its ranges. @throws {BlobNotFoundError} */
  open(key: string): Promise<string | BlobRanges>;
  /**
   * The bytes `[start, end)` of a file in order, all of them without a range.
   * @throws {BlobNotFoundError} at the first bytes
   */
  stream(key: string, range?: { readonly start: number; readonly end: number }): AsyncIterable<Buffer>;
  /** Renames a file. @throws {BlobNotFoundError} */
  move(from: string, to: string): Promise<void>;
  /** Removes one file, if it exists. */
  remove(key: string): Promise<void>;
  /** Removes a folder and its contents. */
  removeFolder(folder: string): Promise<void>;
  /** Names directly in a folder; empty when there is none. */
  list(folder: string): Promise<string[]>;
  /** Ends the leases of this process. */
  close(): Promise<void>;
}

/** Blobs as files under one folder, on a disk shared by all processes. */
export class FolderBlobStore implements BlobStore {
  private presence: Promise<ProcessPresence> | null = null;
  private readonly leases = new BlobLeases(this);
  /** A disk takes no requests. */
  readonly writeAddress = async (): Promise<null> => null;

  constructor(private readonly folder: string) {}

  async close(): Promise<void> {
    await (await this.presence)?.close();
    this.presence = null;
  }

  async write(key: string, bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<WrittenBlob> {
    const path = this.path(key);
    const partial = partialOf(path, await this.processToken());
    try {
      const file = await inFolder(path, () => open(partial, 'wx'));
      const written = await writeStream(file, bytes, maxBytes);
      await rename(partial, path);
      return written;
    } catch (error) {
      await rm(partial, { force: true });
      await this.removeIfEmpty(dirname(path));
      throw isFull(error) ? new StorageFullError(`a file of up to ${maxBytes} bytes`, { cause: error }) : error;
    }
  }

  async claim(key: string, text: string): Promise<boolean> {
    const path = this.path(key);
    try {
      const processToken = await this.processToken();
      return await inFolder(path, () => writeExclusive(path, text, processToken));
    } catch (error) {
      await this.removeIfEmpty(dirname(path));
      throw isFull(error) ? new StorageFullError('a new file', { cause: error }) : error;
    }
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
    return (await this.present()).token;
  }

  async isAlive(processToken: string): Promise<boolean> {
    return (await this.present()).isAlive(processToken);
  }

  async freeBytes(): Promise<number> {
    await mkdir(this.folder, { recursive: true });
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }

  async ageMs(folder: string): Promise<number | null> {
    const entry = await stat(this.path(folder)).catch(() => null);
    return entry && Math.max(0, Date.now() - entry.mtimeMs);
  }

  async removePartial(folder: string): Promise<void> {
    const presence = await this.present();
    await presence.sweep();
    for (const owner of await this.list(folder)) {
      for (const name of await this.list(`${folder}/${owner}`).catch(() => [])) {
        const writer = processOfPartial(name);
        if (writer === null || (await presence.isAlive(writer))) continue;
        await rm(join(this.path(`${folder}/${owner}`), name), { force: true });
      }
      await this.removeIfEmpty(this.path(`${folder}/${owner}`));
    }
  }

  async readText(key: string): Promise<string | null> {
    try {
      return await readFile(this.path(key), 'utf8');
    } catch (error) {
      if (isCode(error, 'ENOENT')) return null;
      throw error;
    }
  }

  async localPath(key: string): Promise<string> {
    const path = this.path(key);
    const entry = await stat(path).catch(() => null);
    if (!entry?.isFile()) throw new BlobNotFoundError(key);
    return path;
  }

  open(key: string): Promise<string> {
    return this.localPath(key);
  }

  async *stream(key: string, range?: { readonly start: number; readonly end: number }): AsyncGenerator<Buffer> {
    const path = await this.localPath(key);
    if (range && range.start >= range.end) return;
    yield* createReadStream(path, range && { start: range.start, end: range.end - 1 });
  }

  async move(from: string, to: string): Promise<void> {
    const source = await this.localPath(from);
    await mkdir(dirname(this.path(to)), { recursive: true });
    await rename(source, this.path(to));
  }

  async remove(key: string): Promise<void> {
    await rm(this.path(key), { force: true });
  }

  async removeFolder(folder: string): Promise<void> {
    await rm(this.path(folder), { recursive: true, force: true });
  }

  async list(folder: string): Promise<string[]> {
    try {
      return await readdir(this.path(folder));
    } catch (error) {
      if (isCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  private present(): Promise<ProcessPresence> {
    // No key can begin with a dot.
    return (this.presence ??= ProcessPresence.open(join(this.folder, '.processes')));
  }

  private async removeIfEmpty(folder: string): Promise<void> {
    if (folder !== this.folder) await rmdir(folder).catch(() => undefined);
  }

  private path(key: string): string {
    return join(this.folder, ...namesOf(key));
  }
}

/** The names of a key. @throws {BlobNotFoundError} for one that could leave its store */
export function namesOf(key: string): string[] {
  const names = key.split('/');
  if (!names.every((name) => /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(name))) throw new BlobNotFoundError(key);
  return names;
}

async function writeStream(file: FileHandle, bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<WrittenBlob> {
  try {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of bytes) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw new FileTooLargeError(sizeBytes, maxBytes, false);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
    return { sizeBytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}
