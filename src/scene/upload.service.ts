import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { DEFAULT_WORKSPACE } from '../database/scope.ts';
import type { Room } from '../quota.ts';
import { parseJson } from '../parse-json.ts';
import {
  BlobNotFoundError,
  type BlobStore,
  FileTooLargeError,
  type WriteAddress,
  type WrittenBlob,
} from '../blob-store.ts';
import { writtenPast } from './direct-upload.ts';
import { Received, Registered, Ticket } from './upload-ticket.ts';
import {
  InvalidUploadError,
  UploadExpiredError,
  UploadHashError,
  UploadIncompleteError,
  UploadNotFoundError,
  UploadUsedError,
} from './upload-errors.ts';
import { type Reservation, UploadReservations } from './upload-reservations.ts';

/** An upload URL, good for one file. */
export interface Upload {
  readonly id: string;
  /** Path with the secret token, to PUT the bytes to. */
  readonly path: string;
  readonly expiresAt: Date;
  /** The announced size, the most that the URL accepts. */
  readonly maxBytes: number;
  /** Takes the bytes into the bucket without passing the service; null where files lie on a disk, or are too large for it. */
  readonly direct: WriteAddress | null;
}

/** A complete upload that can become a scene. */
export interface ReceivedUpload extends WrittenBlob {
  readonly filename: string;
  readonly blobKey: string;
}

export interface UploadOptions {
  /** Largest file. */
  readonly maxBytes: number;
  /** Seconds that a URL is good for, and after that again for registering what came. */
  readonly ttlS: number;
  /** Workspace whose uploads can be registered; undefined: every one's, for the sweeper. */
  readonly workspace?: string;
  /** Whether the workspace may store more; unlimited unless given. */
  readonly room?: Room;
  /** Whether a scene has the bytes of a key; by default it is assumed, so that nothing is taken from a scene. */
  readonly isStored?: (blobKey: string) => Promise<boolean>;
}

/** What a client said of an upload. */
interface Announced extends Reservation {
  readonly sha256: string | undefined;
}

const isRefusal = (error: unknown): boolean =>
  error instanceof FileTooLargeError || error instanceof UploadIncompleteError || error instanceof UploadHashError;

const FOLDER = 'uploads';
const MAX_FILENAME = 255;

/**
 * Uploads through one-time URLs. Their state is files beside the bytes (`ticket`, `receiving`, `received`, `registered`), so
 * that every process that shares the blob store can take any step. Each file is written at once; what a process was doing
 * when it died can be done again by another.
 */
export class UploadService {
  private readonly reservations: UploadReservations;

  constructor(
    private readonly blobs: BlobStore,
    private readonly options: UploadOptions,
    private readonly now: () => Date = () => new Date(),
  ) {
    this.reservations = new UploadReservations(blobs, now);
  }

  /**
   * @param filename the user's file name; shown as the scene's source, never used as a path
   * @param sizeBytes exact size of the file
   * @param announcedSha256 of the file, lower-case hex; other bytes are then refused
   * @throws {InvalidUploadError | FileTooLargeError | StorageFullError | TooManyUploadsError | QuotaExceededError}
   */
  async createUpload(filename: string, sizeBytes: number, announcedSha256?: string): Promise<Upload> {
    const { maxBytes, ttlS, workspace } = this.options;
    if (filename.length === 0 || filename.length > MAX_FILENAME || /[\p{Cc}\p{Cs}]/u.test(filename)) {
      const shown = JSON.stringify(filename.slice(0, MAX_FILENAME));
      throw new InvalidUploadError(`filename ${shown} must have 1 to ${MAX_FILENAME} printable characters.`);
    }
    if (!Number.isInteger(sizeBytes) || sizeBytes < 1) {
      throw new InvalidUploadError(`sizeBytes is ${sizeBytes}; it must be a whole number of at least 1.`, {
        details: { argument: 'sizeBytes', value: sizeBytes, limit: 1 },
      });
    }
    if (sizeBytes > maxBytes) throw new FileTooLargeError(sizeBytes, maxBytes);
    if (announcedSha256 !== undefined && !/^[0-9a-f]{64}$/.test(announcedSha256)) {
      throw new InvalidUploadError('sha256 must have 64 lower-case hexadecimal digits.');
    }
    await this.options.room?.admit('BYTES_STORED', sizeBytes, 'sizeBytes');
    const id = randomUUID();
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(this.now().getTime() + ttlS * 1000);
    const tokenSha256 = sha256(token).toString('hex');
    const direct = await this.blobs.writeAddress(contentKey(id), sizeBytes, ttlS);
    const ticket: Ticket = {
      ...(workspace === undefined ? {} : { workspace }),
      filename,
      sizeBytes,
      ...(announcedSha256 === undefined ? {} : { sha256: announcedSha256 }),
      ...(direct === null ? {} : { direct: true }),
      tokenSha256,
      expiresAt: expiresAt.toISOString(),
    };
    const reservation = { id, sizeBytes, expiresAt };
    await this.reservations.add(reservation);
    try {
      await this.blobs.claim(`${FOLDER}/${id}/ticket`, JSON.stringify(ticket));
    } catch (error) {
      await this.reservations.remove(reservation);
      throw error;
    }
    return { id, path: `/uploads/${id}?token=${token}`, expiresAt, maxBytes: sizeBytes, direct };
  }

  /**
   * Receives the bytes of an upload. If they break off or are too many, or the process ends, the URL stays
   * good for another try.
   * @throws {UploadNotFoundError | UploadExpiredError | UploadUsedError | UploadIncompleteError | FileTooLargeError}
   */
  async receive(id: string, token: string, bytes: AsyncIterable<Uint8Array>): Promise<WrittenBlob> {
    const { tokenSha256, sizeBytes, ...ticket } = await this.ticket(id);
    if (!timingSafeEqual(sha256(token), Buffer.from(tokenSha256, 'hex'))) throw new UploadNotFoundError(id);
    const expiresAt = new Date(ticket.expiresAt);
    if (this.now() > expiresAt) throw new UploadExpiredError(id, expiresAt);
    const receiving = `${FOLDER}/${id}/receiving`;
    if (!(await this.blobs.lease(receiving))) throw new UploadUsedError(id, 'received');
    try {
      return await this.receiveLeased({ id, sizeBytes, expiresAt, sha256: ticket.sha256 }, bytes);
    } finally {
      await this.blobs.release(receiving);
    }
  }

  private async receiveLeased(upload: Announced, bytes: AsyncIterable<Uint8Array>): Promise<WrittenBlob> {
    const { id, sizeBytes } = upload;
    if ((await this.receipt(id)) !== null) throw new UploadUsedError(id, 'received');
    try {
      return await this.complete(upload, await this.blobs.write(contentKey(id), bytes, sizeBytes));
    } catch (error) {
      await this.blobs.remove(contentKey(id));
      throw error;
    }
  }

  /** @throws {UploadIncompleteError | UploadHashError} */
  private async complete(upload: Announced, written: WrittenBlob): Promise<WrittenBlob> {
    const { id, sizeBytes, sha256: announced = written.sha256 } = upload;
    if (written.sizeBytes < sizeBytes) throw new UploadIncompleteError(id, written.sizeBytes, sizeBytes);
    if (written.sha256 !== announced) throw new UploadHashError(id, written.sha256, announced);
    await this.blobs.remove(`${FOLDER}/${id}/received`);
    await this.blobs.claim(`${FOLDER}/${id}/received`, JSON.stringify(written));
    await this.reservations.remove(upload);
    return written;
  }

  /**
   * Takes what a client wrote to the bucket itself: it is read once, for its size and hash. What is not as announced is
   * removed, so that the address can be used again.
   * @returns null when nothing is there, or is just being received
   */
  private async receiveDirect(upload: Announced): Promise<WrittenBlob | null> {
    const { id, sizeBytes } = upload;
    const receiving = `${FOLDER}/${id}/receiving`;
    if (!(await this.blobs.lease(receiving))) return null;
    try {
      const receipt = await this.receipt(id);
      if (receipt !== null) return receipt;
      const written = await writtenPast(this.blobs, contentKey(id), sizeBytes);
      return written && (await this.complete(upload, written));
    } catch (error) {
      if (isRefusal(error)) await this.blobs.remove(contentKey(id));
      throw error;
    } finally {
      await this.blobs.release(receiving);
    }
  }

  /**
   * Returns the complete upload that is not registered yet.
   * @throws {UploadNotFoundError | UploadIncompleteError | UploadUsedError}
   * @throws {FileTooLargeError | UploadHashError} for bytes that a client wrote to the bucket itself
   */
  async received(id: string): Promise<ReceivedUpload> {
    const { filename, sizeBytes, direct = false, workspace = DEFAULT_WORKSPACE, ...ticket } = await this.ticket(id);
    if (workspace !== (this.options.workspace ?? workspace)) throw new UploadNotFoundError(id);
    const announced = { id, sizeBytes, expiresAt: new Date(ticket.expiresAt), sha256: ticket.sha256 };
    const receipt = (await this.receipt(id)) ?? (direct ? await this.receiveDirect(announced) : null);
    if (receipt === null) throw new UploadIncompleteError(id, 0, sizeBytes);
    await this.requireUnregistered(id);
    return { ...receipt, filename, blobKey: contentKey(id) };
  }

  /**
   * Moves the bytes of an upload to another key; only one caller succeeds.
   * @param key new blob key
   * @throws {UploadUsedError} when another caller was first
   */
  async moveTo(id: string, key: string): Promise<void> {
    const claim = JSON.stringify({ key, process: await this.blobs.processToken() });
    if (!(await this.blobs.claim(`${FOLDER}/${id}/registered`, claim))) {
      throw new UploadUsedError(id, 'registered as a scene');
    }
    try {
      await this.blobs.move(contentKey(id), key);
    } catch (error) {
      await this.blobs.remove(`${FOLDER}/${id}/registered`);
      throw error;
    }
  }

  /** Undoes {@link moveTo}, so that the upload can be registered again. */
  async moveBack(id: string, key: string): Promise<void> {
    try {
      await this.blobs.move(key, contentKey(id));
    } catch (error) {
      // The process may have ended before it moved the bytes.
      if (!(error instanceof BlobNotFoundError)) throw error;
      await this.blobs.open(contentKey(id)); // it is there
    }
    await this.blobs.remove(`${FOLDER}/${id}/registered`);
  }

  /** Removes uploads whose time has passed twice over, and those without a readable ticket. */
  async removeExpired(): Promise<void> {
    for (const id of await this.blobs.list(FOLDER)) {
      const ticket = await this.readTicket(id);
      if (ticket === null && ((await this.blobs.ageMs(`${FOLDER}/${id}`)) ?? 0) < this.options.ttlS * 1000) continue;
      const over = ticket ? new Date(ticket.expiresAt).getTime() + this.options.ttlS * 1000 : -Infinity;
      if (this.now().getTime() > over) await this.blobs.removeFolder(`${FOLDER}/${id}`);
    }
    await this.blobs.removePartial(FOLDER);
  }

  /** A registration that a dead process began, and of which no scene came, is undone. */
  private async requireUnregistered(id: string): Promise<void> {
    const text = await this.blobs.readText(`${FOLDER}/${id}/registered`);
    if (text === null) return;
    const claim = Registered.safeParse(parseJson(text)).data;
    const isOver = claim !== undefined && !(await this.blobs.isAlive(claim.process));
    if (!isOver || (await (this.options.isStored ?? assumeStored)(claim.key))) {
      throw new UploadUsedError(id, 'registered as a scene');
    }
    await this.moveBack(id, claim.key);
  }

  private async receipt(id: string): Promise<WrittenBlob | null> {
    const text = await this.blobs.readText(`${FOLDER}/${id}/received`);
    return text === null ? null : (Received.safeParse(parseJson(text)).data ?? null);
  }

  private async ticket(id: string): Promise<Ticket> {
    const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
    const ticket = isId ? await this.readTicket(id) : null;
    if (ticket === null) throw new UploadNotFoundError(id);
    return ticket;
  }

  /** @returns null without a ticket, and for one that was cut off while it was written */
  private async readTicket(id: string): Promise<Ticket | null> {
    const text = await this.blobs.readText(`${FOLDER}/${id}/ticket`);
    return text === null ? null : (Ticket.safeParse(parseJson(text)).data ?? null);
  }
}

const assumeStored = (): Promise<boolean> => Promise.resolve(true);

function contentKey(id: string): string {
  return `${FOLDER}/${id}/content`;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
