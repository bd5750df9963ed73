import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from './errors.ts';

/** A file is larger than allowed or announced. */
export class FileTooLargeError extends AppError {
  readonly code = 'FILE_TOO_LARGE';
  constructor(
    readonly sizeBytes: number,
    readonly maxBytes: number,
    readonly complete = true,
  ) {
    super(`the file has ${complete ? '' : 'at least '}${sizeBytes} bytes; the limit is ${maxBytes}`);
  }
}

/** The store has no blob with that key. */
export class BlobNotFoundError extends AppError {
  readonly code = 'BLOB_NOT_FOUND';
  constructor(readonly key: string) {
    super(`no stored file ${key}`);
  }
}

/** Size and hash of a written blob. */
export interface WrittenBlob {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Large files by key, shared by all processes of an installation. A key is a path of names joined by slashes; the part
 * before the last slash is its folder.
 */
export interface BlobStore {
  /**
   * Writes a file from a stream, atomically: readers see all of it or nothing.
   * @throws {FileTooLargeError} as soon as more than `maxBytes` have arrived
   */
  write(key: string, bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<WrittenBlob>;
  /** Writes a small text unless the key is taken; of several callers at once exactly one gets true. */
  claim(key: string, text: string): Promise<boolean>;
  /** @returns null when there is none */
  readText(key: string): Promise<string | null>;
  /** Local path of the file. @throws {BlobNotFoundError} */
  localPath(key: string): Promise<string>;
  /** Renames a file. @throws {BlobNotFoundError} */
  move(from: string, to: string): Promise<void>;
  /** Removes one file, if it exists. */
  remove(key: string): Promise<void>;
  /** Removes a folder and its contents. */
  removeFolder(folder: string): Promise<void>;
  /** Names directly in a folder; empty when there is none. */
  list(folder: string): Promise<string[]>;
}

/** Blobs as files under one folder, on a disk shared by all processes. */
export class FolderBlobStore implements BlobStore {
  constructor(private readonly folder: string) {}

  async write(key: string, bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<WrittenBlob> {
    const path = this.path(key);
    const partial = `${path}.${randomUUID()}.partial`;
    await mkdir(dirname(path), { recursive: true });
    try {
      const written = await writeStream(partial, bytes, maxBytes);
      await rename(partial, path);
      return written;
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }

  async claim(key: string, text: string): Promise<boolean> {
    const path = this.path(key);
    await mkdir(dirname(path), { recursive: true });
    try {
      await writeFile(path, text, { flag: 'wx' });
      return true;
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      throw error;
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

  private path(key: string): string {
    const names = key.split('/');
    if (!names.every((name) => /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(name))) throw new BlobNotFoundError(key);
    return join(this.folder, ...names);
  }
}

async function writeStream(path: string, bytes: AsyncIterable<Uint8Array>, maxBytes: number): Promise<WrittenBlob> {
  const file = await open(path, 'wx');
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

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
