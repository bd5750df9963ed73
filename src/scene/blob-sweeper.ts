import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobStore } from '../blob-store.ts';
import type { Logger } from '../logging.ts';
import { pendingKey, SCENES } from './scene-copies.ts';
import type { UploadService } from './upload.service.ts';

const SWEEP_EVERY_MS = 10 * 60_000;
/** Keys that are looked up at once. */
const CHUNK = 500;

/** Port to the scenes of all workspaces; the database implements it. */
export interface StoredBlobs {
  /** Those of the keys that a scene has as `blobKey`. */
  storedBlobs(blobKeys: readonly string[]): Promise<Set<string>>;
}

/**
 * Removes what dead processes and expired uploads left on the disk: half-written files, uploads whose time is over, copies
 * that no scene has.
 */
export class BlobSweeper {
  private readonly closing = new AbortController();
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly blobs: BlobStore,
    private readonly uploads: Pick<UploadService, 'removeExpired'>,
    private readonly scenes: StoredBlobs,
    private readonly logger: Logger,
  ) {}

  /** Sweeps now and then, until {@link close}. */
  start(): void {
    this.sweeping = this.sweepAgain();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.sweeping;
  }

  /** Sweeps once. */
  async sweep(): Promise<void> {
    await this.uploads.removeExpired();
    await this.blobs.removePartial(SCENES);
    const names = await this.blobs.list(SCENES);
    for (let from = 0; from < names.length && !this.closing.signal.aborted; from += CHUNK) {
      await this.removeOrphans(names.slice(from, from + CHUNK));
    }
  }

  private async sweepAgain(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await this.sweep().catch((err: unknown) => this.logger.error({ err }, 'Sweep:Failed'));
      await sleep(SWEEP_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async removeOrphans(names: readonly string[]): Promise<void> {
    const keys = names.map((name) => `${SCENES}/${name}/content`);
    // Looked at before the database is asked: what is registered in between has its row then.
    const orphaned = new Set<string>();
    for (const key of keys) if (await this.isAbandoned(key)) orphaned.add(key);
    if (orphaned.size === 0) return;
    const stored = await this.scenes.storedBlobs([...orphaned]);
    for (const key of orphaned) {
      if (stored.has(key)) continue;
      this.logger.warn({ key }, 'Sweep:Orphan');
      await this.blobs.removeFolder(key.slice(0, key.lastIndexOf('/')));
    }
  }

  /** Whether a dead process was registering or removing a copy. Others are never touched: they may be of another database. */
  private async isAbandoned(key: string): Promise<boolean> {
    const pending = pendingKey(key);
    return (await this.blobs.readText(pending)) !== null && !(await this.blobs.isLeased(pending));
  }
}
