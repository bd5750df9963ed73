/** Limits of concurrent requests. */
export interface AdmissionLimits {
  /** Most requests from their first byte to the last byte of the answer. */
  readonly maxRequests: number;
  /** Most bytes of bodies; a single request may be larger. */
  readonly maxBytes: number;
}

/** Admission control: decides before a body is read whether there is room for it, so that excess requests take no memory. */
export class Admission {
  private requests = 0;
  private bytes = 0;

  constructor(private readonly limits: AdmissionLimits) {}

  /** Number of admitted requests. */
  get inside(): number {
    return this.requests;
  }

  /**
   * @param bytes declared size of the body
   * @returns a function to call when the request has ended; null when there is no room
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
