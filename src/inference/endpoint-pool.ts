import { createHash } from 'node:crypto';

/** A server did not do what it was asked, and another one may. */
export class EndpointFailure extends Error {
  /**
   * @param kind `dead`: taken out until a probe succeeds; `broken`: likewise, and it was at work on this; `busy`: left alone
   *   for a while; `late`: likewise, and the time that it gives a request was over; `failed`: it answers, but not this
   * @param retryAfterS what the server says of when to ask again
   */
  constructor(
    message: string,
    readonly kind: 'dead' | 'broken' | 'busy' | 'late' | 'failed',
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }
}

/** No server could do what was asked. */
export class NoEndpointError extends Error {
  /**
   * @param reasons per server, as it failed last
   * @param failed every server that was asked answered, and none could do it
   * @param broken a server ended at work on it
   * @param late a server had no time left for it
   */
  constructor(
    reasons: readonly string[],
    readonly retryAfterS: number,
    readonly failed: boolean,
    readonly broken: boolean,
    readonly late: boolean,
  ) {
    super(reasons.join('; '));
  }
}

interface Endpoint {
  readonly url: string;
  outstanding: number;
  /** Probed since it was last found dead. */
  proven: boolean;
  /** Failures since it last did what it was asked. */
  failures: number;
  /** Not asked before this time, milliseconds. */
  notBefore: number;
  reason: string;
  /** Whether the probe under way succeeds. */
  probing: Promise<boolean> | null;
}

const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 30_000;
const BUSY_MS = 1000;
/** Servers that one piece of work may end: what ends two is not tried on a third. */
const MOST_BROKEN = 2;

/**
 * Servers that do the same, chosen by fewest outstanding requests; among equals the one that had the same content
 * before. A server that fails is taken out and probed again after a wait that doubles with each failure; one that was
 * never probed is probed before its first request.
 */
export class EndpointPool {
  private readonly endpoints: readonly Endpoint[];

  /**
   * @param urls without a slash at the end
   * @param probe resolves when the server can be asked. @throws {EndpointFailure}
   * @param now milliseconds, never going back
   */
  constructor(
    urls: readonly string[],
    private readonly probe: (url: string) => Promise<void>,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.endpoints = urls.map((url) => ({
      url,
      outstanding: 0,
      proven: false,
      failures: 0,
      notBefore: 0,
      reason: 'not asked yet',
      probing: null,
    }));
  }

  /** Whether a server can be asked now. Servers whose time has come are probed in passing. */
  isReady(): boolean {
    void this.probeAll();
    return this.endpoints.some((endpoint) => this.isUsable(endpoint));
  }

  /** Returns when every server whose time has come has answered its probe, one way or the other. */
  async probeAll(): Promise<void> {
    await Promise.all(this.probeDue());
  }

  /** Requests under way, on all servers. */
  get outstanding(): number {
    return this.endpoints.reduce((sum, endpoint) => sum + endpoint.outstanding, 0);
  }

  /**
   * Does `work` on one server, and on another when it fails there, each at most once; work that ends two servers is given
   * up.
   * @param content hash of what the work is about: equal content goes to the same server where load allows it
   * @param work {@link EndpointFailure} moves it to another server; other errors are thrown as they are
   * @throws {NoEndpointError}
   */
  async use<T>(content: string, work: (url: string) => Promise<T>): Promise<T> {
    const tried = new Map<Endpoint, EndpointFailure>();
    for (let endpoint = await this.take(content, tried); endpoint; endpoint = await this.take(content, tried)) {
      try {
        const done = await work(endpoint.url);
        endpoint.failures = 0;
        return done;
      } catch (error) {
        if (!(error instanceof EndpointFailure)) throw error;
        this.setAside(endpoint, error);
        tried.set(endpoint, error);
        if ([...tried.values()].filter(({ kind }) => kind === 'broken').length >= MOST_BROKEN) break;
      } finally {
        endpoint.outstanding -= 1;
      }
    }
    throw this.nobody([...tried.values()]);
  }

  private nobody(failures: readonly EndpointFailure[]): NoEndpointError {
    const wait = Math.min(...this.endpoints.map(({ notBefore }) => notBefore)) - this.now();
    const reasons = this.endpoints.map(({ url, reason }) => `${url}: ${reason}`);
    const failed = failures.length > 0 && failures.every(({ kind }) => kind === 'failed');
    const some = (wanted: EndpointFailure['kind']): boolean => failures.some(({ kind }) => kind === wanted);
    return new NoEndpointError(reasons, Math.max(1, Math.ceil(wait / 1000)), failed, some('broken'), some('late'));
  }

  /** Chooses a server and counts the request in the same turn, so that requests of one moment see each other. */
  private async take(content: string, tried: ReadonlyMap<Endpoint, unknown>): Promise<Endpoint | null> {
    const probes = this.probeDue();
    if (this.choose(content, tried) === null) await anySucceeds(probes);
    const endpoint = this.choose(content, tried);
    if (endpoint) endpoint.outstanding += 1;
    return endpoint;
  }

  private choose(content: string, tried: ReadonlyMap<Endpoint, unknown>): Endpoint | null {
    const weight = ({ url }: Endpoint): string => createHash('sha256').update(`${url} ${content}`).digest('hex');
    const usable = this.endpoints.filter((endpoint) => this.isUsable(endpoint) && !tried.has(endpoint));
    const least = Math.min(...usable.map(({ outstanding }) => outstanding));
    return (
      usable
        .filter(({ outstanding }) => outstanding === least)
        .map((endpoint) => ({ endpoint, weight: weight(endpoint) }))
        .toSorted((a, b) => (a.weight < b.weight ? -1 : 1))[0]?.endpoint ?? null
    );
  }

  private isUsable({ proven, notBefore }: Endpoint): boolean {
    return proven && this.now() >= notBefore;
  }

  /** Probes every server that is not proven and whose wait is over; one probe at a time for each. */
  private probeDue(): Promise<boolean>[] {
    return this.endpoints
      .filter((endpoint) => !endpoint.proven && this.now() >= endpoint.notBefore)
      .map((endpoint) => {
        endpoint.probing ??= this.probeOne(endpoint).finally(() => (endpoint.probing = null));
        return endpoint.probing;
      });
  }

  private async probeOne(endpoint: Endpoint): Promise<boolean> {
    try {
      await this.probe(endpoint.url);
      endpoint.proven = true;
    } catch (error) {
      this.setAside(endpoint, error instanceof EndpointFailure ? error : new EndpointFailure(String(error), 'dead'));
    }
    return endpoint.proven;
  }

  private setAside(endpoint: Endpoint, { kind, message, retryAfterS }: EndpointFailure): void {
    endpoint.reason = message;
    if (kind === 'failed') return;
    if (kind === 'busy' || kind === 'late') {
      endpoint.notBefore = this.now() + (retryAfterS === null ? BUSY_MS : retryAfterS * 1000);
      return;
    }
    endpoint.failures += 1;
    endpoint.proven = false;
    const backOff = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (endpoint.failures - 1));
    // Spread by a fifth, so that many clients do not come back at once.
    endpoint.notBefore = this.now() + backOff * (0.8 + 0.4 * Math.random());
  }
}

/** Returns as soon as one of the probes succeeds, or when all have failed. */
async function anySucceeds(probes: readonly Promise<boolean>[]): Promise<void> {
  const successes = probes.map(async (probe) => {
    if (!(await probe)) throw new Error('the probe failed');
  });
  await Promise.any(successes).catch(() => undefined);
}
