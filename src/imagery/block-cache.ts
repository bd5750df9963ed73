/** Least-recently-used cache of decoded blocks, limited in bytes. */
export class BlockCache<Block extends { readonly byteLength: number }> {
  private readonly blocks = new Map<string, Block>();
  private heldBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Returns the cached block, or loads and caches it. */
  async get(key: string, load: () => Promise<Block>): Promise<Block> {
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

  private keep(key: string, block: Block): void {
    this.blocks.set(key, block);
    this.heldBytes += block.byteLength;
    for (const [oldest, { byteLength }] of this.blocks) {
      if (this.heldBytes <= this.maxBytes) return;
      this.blocks.delete(oldest);
      this.heldBytes -= byteLength;
    }
  }
}
