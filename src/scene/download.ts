import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { AppError } from '../errors.ts';
import { FileTooLargeError } from '../blob-store.ts';
import type { Resolver } from './public-address.ts';
import { checkedAddresses, isPublicAddress, systemResolver } from './public-address.ts';

/** A URL that is not supported. */
export class UrlNotAllowedError extends AppError {
  readonly code = 'URL_NOT_ALLOWED';
  constructor(
    readonly url: string,
    reason: string,
  ) {
    super(`URL ${url} cannot be fetched: ${reason}`);
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
}

const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Downloads files over https. Every host, also after redirects, is resolved and checked once, and the connection uses the
 * checked address, which prevents DNS rebinding.
 */
export class Downloader {
  private readonly agent: Agent;
  private readonly resolver: Resolver;
  private readonly isAllowed: (address: string) => boolean;

  constructor(private readonly options: DownloadOptions) {
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
   * @returns the bytes of the file as a stream; reading it may throw {@link DownloadFailedError}
   * @throws {UrlNotAllowedError | AddressNotAllowedError | HostNotFoundError | FileTooLargeError | DownloadFailedError}
   */
  async fetch(url: string): Promise<AsyncIterable<Uint8Array>> {
    let target = httpsUrl(url);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const { statusCode, headers, body } = await this.request(target);
      if (statusCode === 200) {
        const length = Number(headers['content-length']);
        if (length > this.options.maxBytes) {
          discard(body);
          throw new FileTooLargeError(length, this.options.maxBytes);
        }
        return readable(body, withoutSecrets(target));
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

  private async request(target: URL) {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host)) await checkedAddresses(host, this.resolver, this.isAllowed); // the agent looks up names only
    try {
      return await request(target, { dispatcher: this.agent, headers: { 'accept-encoding': 'identity' } });
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DownloadFailedError(withoutSecrets(target), reason, { cause });
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
  if (!URL.canParse(text, base?.href)) throw new UrlNotAllowedError(text, 'it is not a URL');
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

async function* readable(body: AsyncIterable<Uint8Array>, url: string): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new DownloadFailedError(url, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
