import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ProcessPresence } from '../process-presence.ts';

/** A copy that was asked for so recently is not removed, for somebody may be reading it, milliseconds. */
const IN_USE_MS = 10 * 60_000;

/** Copies of files on this machine, limited in bytes; each process has its own, and removes those of dead ones. */
export class LocalCopies {
  private presence: Promise<ProcessPresence> | null = null;
  /** Time of use and size by key, least recently used first. */
  private readonly copies = new Map<string, { readonly usedAt: number; readonly sizeBytes: number }>();
  private readonly coming = new Map<string, Promise<string>>();

  /** @param folder of all processes of the machine @param maxBytes of those that are not in use */
  constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
  ) {}

  /**
   * Path of the copy of a file, which is made unless it is there.
   * @param fetch makes the bytes
   */
  async path(key: string, fetch: () => AsyncIterable<Uint8Array>): Promise<string> {
    const target = path.join(await this.ownFolder(), encodeURIComponent(key));
    if (this.copies.has(key)) {
      this.use(key, this.copies.get(key)!.sizeBytes);
      return target;
    }
    const coming = this.coming.get(key) ?? this.make(key, target, fetch).finally(() => this.coming.delete(key));
    this.coming.set(key, coming);
    return coming;
  }

  async close(): Promise<void> {
    if (this.presence === null) return;
    const presence = await this.presence;
    await rm(path.join(this.folder, presence.token), { recursive: true, force: true });
    await presence.close();
  }

  private async make(key: string, target: string, fetch: () => AsyncIterable<Uint8Array>): Promise<string> {
    const partial = `${target}.${randomUUID()}`;
    try {
      await pipeline(Readable.from(fetch()), createWriteStream(partial));
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    this.use(key, (await stat(target)).size);
    await this.evict();
    return target;
  }

  private use(key: string, sizeBytes: number): void {
    this.copies.delete(key);
    this.copies.set(key, { usedAt: performance.now(), sizeBytes });
  }

  private async evict(): Promise<void> {
    let heldBytes = [...this.copies.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const [key, { usedAt, sizeBytes }] of this.copies) {
      if (heldBytes <= this.maxBytes || performance.now() - usedAt < IN_USE_MS) return;
      this.copies.delete(key);
      heldBytes -= sizeBytes;
      await rm(path.join(await this.ownFolder(), encodeURIComponent(key)), { force: true });
    }
  }

  private async ownFolder(): Promise<string> {
    this.presence ??= this.open();
    return path.join(this.folder, (await this.presence).token);
  }

  private async open(): Promise<ProcessPresence> {
    const presence = await ProcessPresence.open(path.join(this.folder, '.processes'));
    await mkdir(path.join(this.folder, presence.token), { recursive: true });
    await presence.sweep();
    for (const name of await readdir(this.folder)) {
      if (name === '.processes' || (await presence.isAlive(name))) continue;
      await rm(path.join(this.folder, name), { recursive: true, force: true });
    }
    return presence;
  }
}
