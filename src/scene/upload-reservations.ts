import { type BlobStore, StorageFullError } from '../blob-store.ts';
import { OutageError } from '../errors.ts';

/** Too many uploads are announced and have not come. */
export class TooManyUploadsError extends OutageError {
  readonly code = 'TOO_MANY_UPLOADS';
  override readonly retryAfterS = 60;
  constructor(open: number) {
    super(`${open} uploads are already open; finish some of them, or wait until they expire, before you create more.`);
  }
}

/** Disk that an announced upload will need. */
export interface Reservation {
  readonly id: string;
  readonly sizeBytes: number;
  readonly expiresAt: Date;
}

const FOLDER = 'upload-reservations';
const MAX_OPEN = 1000;
/** Kept free for everything else that writes to the disk, bytes. */
const MARGIN_BYTES = 64 * 1024 ** 2;

const keyOf = ({ id, sizeBytes, expiresAt }: Reservation): string =>
  `${FOLDER}/${expiresAt.getTime()}.${sizeBytes}.${id}`;

/**
 * Disk that is promised to uploads that have not come. A reservation is an empty file whose name says everything, so one
 * listing of a folder tells what is promised, and nothing can be torn.
 */
export class UploadReservations {
  private adding: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly blobs: BlobStore,
    private readonly now: () => Date,
  ) {}

  /** @throws {StorageFullError | TooManyUploadsError} when there is no room for it beside those promised before */
  add(reservation: Reservation): Promise<void> {
    const added = this.adding.then(() => this.addNext(reservation));
    this.adding = added.catch(() => undefined);
    return added;
  }

  async remove(reservation: Reservation): Promise<void> {
    await this.blobs.remove(keyOf(reservation));
  }

  private async addNext(reservation: Reservation): Promise<void> {
    let [open, promised] = [0, 0];
    for (const name of await this.blobs.list(FOLDER)) {
      const [expires, sizeBytes] = name.split('.').map(Number);
      if (!(this.now().getTime() <= expires!)) {
        await this.blobs.remove(`${FOLDER}/${name}`);
        continue;
      }
      open += 1;
      promised += sizeBytes!;
    }
    if (open >= MAX_OPEN) throw new TooManyUploadsError(open);
    const free = (await this.blobs.freeBytes()) - MARGIN_BYTES - promised;
    if (reservation.sizeBytes > free) {
      const beside = promised > 0 ? ` beside the ${promised} bytes promised to other uploads` : '';
      throw new StorageFullError(`an upload of ${reservation.sizeBytes} bytes${beside}`);
    }
    await this.blobs.claim(keyOf(reservation), '');
  }
}
