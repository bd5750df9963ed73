import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { AppError } from '../errors.ts';
import { FileTooLargeError } from '../blob-store.ts';
import { plainText } from '../plain-text.ts';
import type { Resolver } from './public-address.ts';
import { checkedAddresses, isPublicAddress, systemResolver } from './public-address.ts';

/** A URL that is not supported. */
export class UrlNotAllowedError extends AppError {
  readonly code = 'URL_NOT_ALLOWED';
  /** @param url without secrets; null when it cannot be shown */
  constructor(
    readonly url: string | null,
    reason: string,
  ) {
    super(`URL ${url === null ? '' : `${url} `}cannot be fetched: ${reason}`);
  }
}

/** The server did not deliver the file. */
export class DownloadFailedError extends AppError {
  readonly code = 'DOWNLOAD_FAILED';
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super(`URL ${url} could not be fetched: ${reason}`, options);
  }
}

/** Download settings; everything but the limit is for tests and unusual networks. */
export interface DownloadOptions {
  readonly maxBytes: number;
  readonly resolver?: Resolver;
  /** Whether an address may be connected to; default: public addresses. */
  readonly isAllowed?: (address: string) => boolean;
  /** Additional PEM certificates to trust. */
  readonly ca?: string;
  /** Longest pause between bytes, milliseconds. */
  readonly idleMs?: number;
  /** Most time for a whole download, redirects included, milliseconds. */
  readonly totalMs?: number;
}

/** A slow server must not hold a request, and the disk that it fills, for ever. */
const TOTAL_MS = 30 * 60_000;
const MAX_REDIRECTS = 5;
const MAX_REASON = 300;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Downloads files over https. Every host, also after redirects, is resolved and checked once, and the connection uses the
 * checked address, which prevents DNS rebinding.
 */
export class Downloader {
  private readonly agent: Agent;
  private readonly resolver: Resolver;
  private readonly isAllowed: (address: string) => boolean;
  private readonly totalMs: number;

  constructor(private readonly options: DownloadOptions) {
    this.resolver = options.resolver ?? systemResolver;
    this.isAllowed = options.isAllowed ?? isPublicAddress;
    this.totalMs = options.totalMs ?? TOTAL_MS;
    const idleMs = options.idleMs ?? 30_000;
    this.agent = new Agent({
      connect: { lookup: this.lookup, timeout: idleMs, ...(options.ca ? { ca: options.ca } : {}) },
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
    });
  }

  /**
   * @returns the bytes of the file as a stream; reading it may throw {@link DownloadFailedError}
   * @throws {UrlNotAllowedError | AddressNotAllowedError | HostNotFoundError | FileTooLargeError | DownloadFailedError}
   */
  async fetch(url: string): Promise<AsyncIterable<Uint8Array>> {
    let target = httpsUrl(url);
    const deadline = AbortSignal.timeout(this.totalMs);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const { statusCode, headers, body } = await this.request(target, deadline);
      if (statusCode === 200) {
        const length = Number(headers['content-length']);
        if (length > this.options.maxBytes) {
          discard(body);
          throw new FileTooLargeError(length, this.options.maxBytes);
        }
        return readable(body, withoutSecrets(target), deadline);
      }
      discard(body);
      const { location } = headers;
      if (!REDIRECTS.includes(statusCode) || typeof location !== 'string') {
        throw new DownloadFailedError(withoutSecrets(target), `the server answered ${statusCode}`);
      }
      target = httpsUrl(location, target);
    }
    throw new DownloadFailedError(withoutSecrets(target), `more than ${MAX_REDIRECTS} redirects`);
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  private async request(target: URL, signal: AbortSignal) {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host)) await checkedAddresses(host, this.resolver, this.isAllowed); // the agent looks up names only
    try {
      return await request(target, { dispatcher: this.agent, headers: { 'accept-encoding': 'identity' }, signal });
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw failed(withoutSecrets(target), cause, signal);
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
function discard(body: Readable): void {
  body.on('error', () => {}).destroy();
}

/** A failure of the connection, or the end of the time for the whole download. */
function failed(url: string, cause: unknown, deadline: AbortSignal): DownloadFailedError {
  const reason = cause instanceof Error ? plainText(cause.message, MAX_REASON) : String(cause);
  return new DownloadFailedError(url, deadline.aborted ? 'it took too long' : reason, { cause });
}

async function* readable(
  body: AsyncIterable<Uint8Array>,
  url: string,
  deadline: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw failed(url, cause, deadline);
  }
}
