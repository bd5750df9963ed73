/** What a server is willing to hold at once. */
export interface AdmissionLimits {
  /** Most requests from their first byte to the last byte of the answer. */
  readonly maxRequests: number;
  /** Most bytes of bodies; a single request may be larger. */
  readonly maxBytes: number;
}

/**
 * Decides before a body is read whether there is room for it, so that requests that nobody could answer soon take no
 * memory.
 */
export class Admission {
  private requests = 0;
  private bytes = 0;

  constructor(private readonly limits: AdmissionLimits) {}

  /** Requests inside now. */
  get inside(): number {
    return this.requests;
  }

  /**
   * @param bytes of the body, as the request declares it
   * @returns to be called once when the request has ended; null when there is no room
   */
  enter(bytes: number): (() => void) | null {
    const full = this.requests >= this.limits.maxRequests;
    if (full || (this.requests > 0 && this.bytes + bytes > this.limits.maxBytes)) return null;
    this.requests += 1;
    this.bytes += bytes;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.requests -= 1;
      this.bytes -= bytes;
    };
  }
}
