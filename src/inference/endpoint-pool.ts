import { createHash } from 'node:crypto';

/** A server failed a request that another server may serve. */
export class EndpointFailure extends Error {
  /**
   * @param kind `dead`: excluded until a probe succeeds; `broken`: likewise, and it broke during this request; `busy`: not
   *   asked for a while; `late`: likewise, after a timeout of the server; `failed`: it answers, but cannot serve this request
   * @param retryAfterS the server's Retry-After, seconds
   */
  constructor(
    message: string,
    readonly kind: 'dead' | 'broken' | 'busy' | 'late' | 'failed',
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }
}

/** No server could serve the request. */
export class NoEndpointError extends Error {
  /**
   * @param reasons last failure of each server
   * @param failed every server answered, and none could serve it
   * @param broken a server broke while serving it
   * @param late a server timed out on it
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
  /** Whether a probe succeeded since its last failure. */
  proven: boolean;
  /** Failures since its last success. */
  failures: number;
  /** Earliest time of the next request, milliseconds. */
  notBefore: number;
  reason: string;
  /** The probe in progress; resolves to whether it succeeds. */
  probing: Promise<boolean> | null;
}

const FIRST_BACK_OFF_MS = 500;
/** Also the longest wait that a server can ask for: it may be healthy again long before. */
const LONGEST_BACK_OFF_MS = 30_000;
const BUSY_MS = 1000;
/** Servers that one request may break: a request that broke two is not sent to a third. */
const MOST_BROKEN = 2;

/**
 * Load balancer over equivalent servers: fewest outstanding requests first, among equals the one that had the same content
 * before. A failed server is excluded and probed again after an exponential back-off; every server is probed before its
 * first request.
 */
export class EndpointPool {
  private readonly endpoints: readonly Endpoint[];

  /**
   * @param urls without a slash at the end
   * @param probe resolves when the server is usable. @throws {EndpointFailure}
   * @param now monotonic clock, milliseconds
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

  /** Whether any server is usable now. Starts probes that are due. */
  isReady(): boolean {
    void this.probeAll();
    return this.endpoints.some((endpoint) => this.isUsable(endpoint));
  }

  /** Probes every server that is due and waits for the results. */
  async probeAll(): Promise<void> {
    await Promise.all(this.probeDue());
  }

  /** Requests in progress on all servers. */
  get outstanding(): number {
    return this.endpoints.reduce((sum, endpoint) => sum + endpoint.outstanding, 0);
  }

  /**
   * Runs `work` on one server and fails over to others, each at most once; work that breaks two servers is given up.
   * @param content content hash: equal content goes to the same server where load allows it
   * @param work an {@link EndpointFailure} moves it to another server; other errors are rethrown
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
        this.exclude(endpoint, error);
        tried.set(endpoint, error);
        if ([...tried.values()].filter(({ kind }) => kind === 'broken').length >= MOST_BROKEN) break;
      } finally {
        endpoint.outstanding -= 1;
      }
    }
    throw this.unavailable([...tried.values()]);
  }

  private unavailable(failures: readonly EndpointFailure[]): NoEndpointError {
    const wait = Math.min(...this.endpoints.map(({ notBefore }) => notBefore)) - this.now();
    const reasons = this.endpoints.map(({ url, reason }) => `${url}: ${reason}`);
    const failed = failures.length > 0 && failures.every(({ kind }) => kind === 'failed');
    const some = (wanted: EndpointFailure['kind']): boolean => failures.some(({ kind }) => kind === wanted);
    return new NoEndpointError(reasons, Math.max(1, Math.ceil(wait / 1000)), failed, some('broken'), some('late'));
  }

  /** Chooses a server and counts the request in the same tick, so that simultaneous requests see each other. */
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

  /** Probes every unproven server whose back-off is over; one probe per server at a time. */
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
      this.exclude(endpoint, error instanceof EndpointFailure ? error : new EndpointFailure(String(error), 'dead'));
    }
    return endpoint.proven;
  }

  private exclude(endpoint: Endpoint, { kind, message, retryAfterS }: EndpointFailure): void {
    endpoint.reason = message;
    if (kind === 'failed') return;
    if (kind === 'busy' || kind === 'late') {
      endpoint.notBefore =
        this.now() + (retryAfterS === null ? BUSY_MS : Math.min(LONGEST_BACK_OFF_MS, retryAfterS * 1000));
      return;
    }
    endpoint.failures += 1;
    endpoint.proven = false;
    const backOff = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (endpoint.failures - 1));
    // Jitter of a fifth, so that many clients do not return at once.
    endpoint.notBefore = this.now() + backOff * (0.8 + 0.4 * Math.random());
  }
}

/** Resolves when one probe succeeds or all have failed. */
async function anySucceeds(probes: readonly Promise<boolean>[]): Promise<void> {
  const successes = probes.map(async (probe) => {
    if (!(await probe)) throw new Error('the probe failed');
  });
  await Promise.any(successes).catch(() => undefined);
}
