import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { BlobStore, WrittenBlob } from '../blob-store.ts';
import { FileTooLargeError } from '../blob-store.ts';

/** File name or size of an upload is invalid. */
export class InvalidUploadError extends AppError {
  readonly code = 'UPLOAD_INVALID';
}

/** There is no upload with that identifier and token. */
export class UploadNotFoundError extends AppError {
  readonly code = 'UPLOAD_NOT_FOUND';
  constructor(readonly id: string) {
    super(`no upload ${id} with that token`);
  }
}

/** The upload URL has expired. */
export class UploadExpiredError extends AppError {
  readonly code = 'UPLOAD_EXPIRED';
  constructor(id: string, expiresAt: Date) {
    super(`upload ${id} expired at ${expiresAt.toISOString()}`);
  }
}

/** The upload was already received or registered. */
export class UploadUsedError extends AppError {
  readonly code = 'UPLOAD_USED';
  constructor(id: string, how: 'received' | 'registered as a scene') {
    super(`upload ${id} has already been ${how}`);
  }
}

/** Not all bytes of the upload have arrived. */
export class UploadIncompleteError extends AppError {
  readonly code = 'UPLOAD_INCOMPLETE';
  constructor(
    id: string,
    readonly receivedBytes: number,
    readonly sizeBytes: number,
  ) {
    super(`upload ${id} has received ${receivedBytes} of ${sizeBytes} announced bytes`);
  }
}

/** An upload URL, good for one file. */
export interface Upload {
  readonly id: string;
  /** Path with the secret token, to PUT the bytes to. */
  readonly path: string;
  readonly expiresAt: Date;
  /** The announced size, the most that the URL accepts. */
  readonly maxBytes: number;
}

/** A complete upload that can become a scene. */
export interface ReceivedUpload extends WrittenBlob {
  readonly filename: string;
  readonly blobKey: string;
}

interface Ticket {
  readonly filename: string;
  readonly sizeBytes: number;
  readonly tokenSha256: string;
  readonly expiresAt: string;
}

const FOLDER = 'uploads';
const MAX_FILENAME = 255;

/**
 * Uploads through one-time addresses. Their state is files beside the bytes (`ticket`, `receiving`, `received`,
 * `registered`), so that every process that shares the blob store can take any step.
 */
export class UploadService {
  /**
   * @param options.maxBytes largest file
   * @param options.ttlS seconds that an address is good for, and after that again for registering what came
   */
  constructor(
    private readonly blobs: BlobStore,
    private readonly options: { readonly maxBytes: number; readonly ttlS: number },
    private readonly now: () => Date = () => new Date(),
  ) {}

  /**
   * @param filename the user's file name; shown as the scene's source, never used as a path
   * @param sizeBytes exact size of the file
   * @throws {InvalidUploadError | FileTooLargeError}
   */
  async createUpload(filename: string, sizeBytes: number): Promise<Upload> {
    const { maxBytes, ttlS } = this.options;
    if (filename.length === 0 || filename.length > MAX_FILENAME || /\p{Cc}/u.test(filename)) {
      const shown = JSON.stringify(filename.slice(0, MAX_FILENAME));
      throw new InvalidUploadError(`filename ${shown} must have 1 to ${MAX_FILENAME} printable characters`);
    }
    if (!Number.isInteger(sizeBytes) || sizeBytes < 1) {
      throw new InvalidUploadError(`sizeBytes ${sizeBytes} must be a whole number of at least 1`);
    }
    if (sizeBytes > maxBytes) throw new FileTooLargeError(sizeBytes, maxBytes);
    await this.removeExpired();
    const id = randomUUID();
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(this.now().getTime() + ttlS * 1000);
    const tokenSha256 = sha256(token).toString('hex');
    const ticket: Ticket = { filename, sizeBytes, tokenSha256, expiresAt: expiresAt.toISOString() };
    await this.blobs.claim(`${FOLDER}/${id}/ticket`, JSON.stringify(ticket));
    return { id, path: `/uploads/${id}?token=${token}`, expiresAt, maxBytes: sizeBytes };
  }

  /**
   * Takes the bytes of an upload. When they break off or are too many, the address stays good for another try.
   * @throws {UploadNotFoundError | UploadExpiredError | UploadUsedError | UploadIncompleteError | FileTooLargeError}
   */
  async receive(id: string, token: string, bytes: AsyncIterable<Uint8Array>): Promise<WrittenBlob> {
    const ticket = await this.ticket(id);
    if (!timingSafeEqual(sha256(token), Buffer.from(ticket.tokenSha256, 'hex'))) throw new UploadNotFoundError(id);
    const expiresAt = new Date(ticket.expiresAt);
    if (this.now() > expiresAt) throw new UploadExpiredError(id, expiresAt);
    if (!(await this.blobs.claim(`${FOLDER}/${id}/receiving`, ''))) throw new UploadUsedError(id, 'received');
    try {
      const written = await this.blobs.write(contentKey(id), bytes, ticket.sizeBytes);
      if (written.sizeBytes < ticket.sizeBytes) {
        throw new UploadIncompleteError(id, written.sizeBytes, ticket.sizeBytes);
      }
      await this.blobs.claim(`${FOLDER}/${id}/received`, JSON.stringify(written));
      return written;
    } catch (error) {
      await this.blobs.remove(contentKey(id));
      await this.blobs.remove(`${FOLDER}/${id}/receiving`);
      throw error;
    }
  }

  /**
   * Returns the complete upload that is not registered yet.
   * @throws {UploadNotFoundError | UploadIncompleteError | UploadUsedError}
   */
  async received(id: string): Promise<ReceivedUpload> {
    const { filename, sizeBytes } = await this.ticket(id);
    const received = await this.blobs.readText(`${FOLDER}/${id}/received`);
    if (received === null) throw new UploadIncompleteError(id, 0, sizeBytes);
    if ((await this.blobs.readText(`${FOLDER}/${id}/registered`)) !== null) {
      throw new UploadUsedError(id, 'registered as a scene');
    }
    return { ...(JSON.parse(received) as WrittenBlob), filename, blobKey: contentKey(id) };
  }

  /**
   * Moves the bytes of an upload to another key; only one caller succeeds.
   * @param key new blob key
   * @throws {UploadUsedError} when another caller was first
   */
  async moveTo(id: string, key: string): Promise<void> {
    if (!(await this.blobs.claim(`${FOLDER}/${id}/registered`, key))) {
      throw new UploadUsedError(id, 'registered as a scene');
    }
    await this.blobs.move(contentKey(id), key);
  }

  /** Undoes {@link moveTo}, so that the upload can be registered again. */
  async moveBack(id: string, key: string): Promise<void> {
    await this.blobs.move(key, contentKey(id));
    await this.blobs.remove(`${FOLDER}/${id}/registered`);
  }

  /** Forgets uploads whose time has passed twice over. */
  async removeExpired(): Promise<void> {
    for (const id of await this.blobs.list(FOLDER)) {
      const text = await this.blobs.readText(`${FOLDER}/${id}/ticket`);
      if (text === null) continue;
      const over = new Date((JSON.parse(text) as Ticket).expiresAt).getTime() + this.options.ttlS * 1000;
      if (this.now().getTime() > over) await this.blobs.removeFolder(`${FOLDER}/${id}`);
    }
  }

  private async ticket(id: string): Promise<Ticket> {
    const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
    const text = isId ? await this.blobs.readText(`${FOLDER}/${id}/ticket`) : null;
    if (text === null) throw new UploadNotFoundError(id);
    return JSON.parse(text) as Ticket;
  }
}

function contentKey(id: string): string {
  return `${FOLDER}/${id}/content`;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
