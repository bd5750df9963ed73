import type { Samples } from './codec/tiff-samples.ts';

/** Least-recently-used cache of decoded blocks, limited in bytes; shared by all images that are open together. */
export class BlockCache {
  private readonly blocks = new Map<string, Samples>();
  private heldBytes = 0;
  private owners = 0;

  constructor(private readonly maxBytes: number) {}

  /** A key prefix that no other image uses. */
  newOwner(): string {
    return String(this.owners++);
  }

  has(key: string): boolean {
    return this.blocks.has(key);
  }

  /** Returns the cached block, or loads and caches it. */
  async get(key: string, load: () => Promise<Samples>): Promise<Samples> {
    const held = this.blocks.get(key);
    if (held) {
      this.blocks.delete(key);
      this.blocks.set(key, held);
      return held;
    }
    const block = await load();
    if (!this.blocks.has(key)) this.keep(key, block);
    return block;
  }

  /** Drops the blocks of one image. */
  dropOwner(owner: string): void {
    for (const [key, { byteLength }] of this.blocks) {
      if (!key.startsWith(`${owner}/`)) continue;
      this.blocks.delete(key);
      this.heldBytes -= byteLength;
    }
  }

  private keep(key: string, block: Samples): void {
    this.blocks.set(key, block);
    this.heldBytes += block.byteLength;
    for (const [oldest, { byteLength }] of this.blocks) {
      if (this.heldBytes <= this.maxBytes) return;
      this.blocks.delete(oldest);
      this.heldBytes -= byteLength;
    }
  }
}
