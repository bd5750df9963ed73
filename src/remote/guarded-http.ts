import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { AppError } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import { checkedAddresses, isPublicAddress, type Resolver, systemResolver } from './public-address.ts';

/** A URL that is not supported. */
export class UrlNotAllowedError extends AppError {
  readonly code = 'URL_NOT_ALLOWED';
  /** @param url without secrets; null when it cannot be shown */
  constructor(
    readonly url: string | null,
    reason: string,
  ) {
    super(`URL ${url === null ? '' : `${url} `}cannot be fetched: ${reason}.`);
  }
}

/** The server did not deliver the file. */
export class DownloadFailedError extends AppError {
  readonly code = 'DOWNLOAD_FAILED';
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super(`URL ${url} could not be fetched: ${reason}.`, options);
  }
}

/** Settings of the network; everything is for tests and unusual networks. */
export interface HttpOptions {
  readonly resolver?: Resolver;
  /** Whether an address may be connected to; default: public addresses. */
  readonly isAllowed?: (address: string) => boolean;
  /** Additional PEM certificates to trust. */
  readonly ca?: string;
  /** Longest pause between bytes, milliseconds. */
  readonly idleMs?: number;
}

/** The answer of the last server of a chain of redirects. */
export interface HttpAnswer {
  readonly url: URL;
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** A request; its method is POST when it has a body, else GET. */
export interface HttpRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 5;
const MAX_REASON = 300;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Asks strangers' servers over https. At each request every host, also after redirects, is resolved and checked, and the
 * connection uses the checked address, which prevents DNS rebinding.
 */
export class GuardedHttp {
  private readonly agent: Agent;
  private readonly resolver: Resolver;
  private readonly isAllowed: (address: string) => boolean;

  constructor(options: HttpOptions = {}) {
    this.resolver = options.resolver ?? systemResolver;
    this.isAllowed = options.isAllowed ?? isPublicAddress;
    const idleMs = options.idleMs ?? 30_000;
    this.agent = new Agent({
      connect: { lookup: this.lookup, timeout: idleMs, ...(options.ca ? { ca: options.ca } : {}) },
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
    });
  }

  /**
   * Follows no redirect: it is an answer like others.
   * @throws as {@link request}
   */
  async requestOnce(url: string, asked: HttpRequest): Promise<HttpAnswer> {
    const target = httpsUrl(url);
    const { statusCode, headers, body } = await this.send(target, asked);
    return { url: target, statusCode, headers, body };
  }

  /**
   * Follows redirects to the first other answer. The caller reads the body or hands it to {@link discard}.
   * @throws {UrlNotAllowedError | AddressNotAllowedError | HostNotFoundError | DownloadFailedError}
   */
  async request(url: string, asked: HttpRequest): Promise<HttpAnswer> {
    let target = httpsUrl(url);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const { statusCode, headers, body } = await this.send(target, asked);
      const { location } = headers;
      if (!REDIRECTS.includes(statusCode)) return { url: target, statusCode, headers, body };
      discard(body);
      if (typeof location !== 'string') throw answeredError(target, statusCode);
      target = httpsUrl(location, target);
    }
    throw new DownloadFailedError(withoutSecrets(target), `more than ${MAX_REDIRECTS} redirects`);
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  private async send(target: URL, { headers, body, signal }: HttpRequest) {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host)) await checkedAddresses(host, this.resolver, this.isAllowed); // the agent looks up names only
    try {
      return await request(target, {
        dispatcher: this.agent,
        headers: { 'accept-encoding': 'identity', ...headers },
        signal,
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw connectionError(withoutSecrets(target), cause, signal);
    }
  }

  private readonly lookup: LookupFunction = (host, { all }, callback) => {
    checkedAddresses(host, this.resolver, this.isAllowed).then(
      (addresses) => {
        if (all) callback(null, [...addresses]);
        else callback(null, addresses[0]!.address, addresses[0]!.family);
      },
      (error: unknown) => callback(error as Error, []),
    );
  };
}

function httpsUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) throw new UrlNotAllowedError(null, 'it is not a URL');
  const url = new URL(text, base);
  if (url.protocol !== 'https:')
    throw new UrlNotAllowedError(withoutSecrets(url), `only https is supported, not ${url.protocol}`);
  if (url.username !== '' || url.password !== '') {
    throw new UrlNotAllowedError(withoutSecrets(url), 'it contains a user name or password');
  }
  return url;
}

/** A URL without credentials and query (which may be a signature), safe to show and to store. */
export function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** Discards a response; undici then reports an abort, which is no error. */
export function discard(body: Readable): void {
  body.on('error', () => {}).destroy();
}

/** The server answered something else than the file. */
export function answeredError(url: URL, statusCode: number): DownloadFailedError {
  return new DownloadFailedError(withoutSecrets(url), `the server answered ${statusCode}`);
}

/** A failure of the connection, or the end of the time for the whole request. */
export function connectionError(url: string, cause: unknown, deadline: AbortSignal): DownloadFailedError {
  const reason = cause instanceof Error ? plainText(cause.message, MAX_REASON) : String(cause);
  return new DownloadFailedError(url, deadline.aborted ? 'it took too long' : reason, { cause });
}
