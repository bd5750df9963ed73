/** What leases are made of. */
interface ClaimedKeys {
  /** @returns false when the key is taken */
  claim(key: string, text: string): Promise<boolean>;
  readText(key: string): Promise<string | null>;
  remove(key: string): Promise<void>;
  processToken(): Promise<string>;
  isAlive(processToken: string): Promise<boolean>;
}

/**
 * Keys that a process holds while it lives: a small file with its token. Built of exclusive creation alone, so that it works
 * wherever a key can be claimed.
 */
export class BlobLeases {
  constructor(private readonly blobs: ClaimedKeys) {}

  /** @returns false while a living process holds the key */
  async lease(key: string): Promise<boolean> {
    while (!(await this.blobs.claim(key, await this.blobs.processToken()))) {
      const holder = await this.blobs.readText(key);
      if (holder === null) continue;
      if ((await this.blobs.isAlive(holder)) || !(await this.removeDead(key, holder))) return false;
    }
    return true;
  }

  /** Ends a lease of this process; one that another process has taken over stays. */
  async release(key: string): Promise<void> {
    if ((await this.blobs.readText(key)) === (await this.blobs.processToken())) await this.blobs.remove(key);
  }

  /** Whether a living process holds the key. */
  async isLeased(key: string): Promise<boolean> {
    const holder = await this.blobs.readText(key);
    return holder !== null && (await this.blobs.isAlive(holder));
  }

  /**
   * Removes the claim of a dead process. Only who holds the right to do so does, or a process that was slow to look would
   * remove the claim of the next one.
   * @returns false when another living process does it
   */
  private async removeDead(key: string, holder: string): Promise<boolean> {
    const right = `${key}.takeover`;
    if (!(await this.blobs.claim(right, await this.blobs.processToken()))) {
      if (await this.isLeased(right)) return false;
      await this.blobs.remove(right); // whoever held it died in these few milliseconds
      return true;
    }
    try {
      if ((await this.blobs.readText(key)) === holder) await this.blobs.remove(key);
    } finally {
      await this.blobs.remove(right);
    }
    return true;
  }
}
