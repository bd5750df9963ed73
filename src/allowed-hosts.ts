import type { IncomingMessage } from 'node:http';
import { AppError } from './errors.ts';

/** The request is addressed to a name that is not this service's: the DNS of a third party led its sender here. */
export class HostNotAllowedError extends AppError {
  readonly code = 'HOST_NOT_ALLOWED';
  constructor() {
    // The name is not quoted: a third party chose it, and it might be turned into a link.
    super(
      'The Host header names another service; this service answers to loopback names, TERRAQL_PUBLIC_URL and TERRAQL_ALLOWED_HOSTS.',
    );
  }
}

/** Settings that say under which names a process answers. */
export interface HostSettings {
  readonly TERRAQL_HOST: string;
  readonly TERRAQL_PUBLIC_URL?: string | undefined;
  readonly TERRAQL_ALLOWED_HOSTS: readonly string[];
  readonly TERRAQL_CORS_ORIGINS: readonly string[];
}

/**
 * The names that requests may be addressed to. Without such a list any web page reaches a service on the same machine: its
 * own name first leads to its server and then to 127.0.0.1 (DNS rebinding), and the browser takes both for one origin.
 */
export class AllowedHosts {
  private readonly names: ReadonlySet<string>;

  private readonly origins: ReadonlySet<string>;
  private readonly publicOrigin: string | undefined;

  constructor({ TERRAQL_HOST, TERRAQL_PUBLIC_URL, TERRAQL_ALLOWED_HOSTS, TERRAQL_CORS_ORIGINS }: HostSettings) {
    this.origins = new Set(TERRAQL_CORS_ORIGINS);
    this.publicOrigin = originOf(TERRAQL_PUBLIC_URL ?? '')?.origin;
    const configured = [TERRAQL_PUBLIC_URL, ...[TERRAQL_HOST, ...TERRAQL_ALLOWED_HOSTS].map(asUrl)];
    this.names = new Set(configured.flatMap((url) => (url === undefined ? [] : (hostnameOf(url) ?? []))));
  }

  /** @param host the name, where a trusted proxy gives another than the header @throws {HostNotAllowedError} for a `Host` that is neither configured, a loopback name, nor the address connected to */
  check({ headers, httpVersion, socket }: IncomingMessage, host = headers.host): void {
    // Only HTTP/1.0 may leave it out, which no browser speaks.
    if (host === undefined && httpVersion === '1.0') return;
    const name = hostnameOf(asUrl(host ?? ''));
    if (name !== null && (this.allows(name) || name === addressName(socket.localAddress))) return;
    throw new HostNotAllowedError();
  }

  /**
   * Whether a WebSocket may be opened by a page of the request's origin; programs send none. A browser asks nobody first, as
   * it does before other requests to another origin. On one machine every port is an origin of its own.
   * @param host as in {@link check}
   */
  allowsOrigin({ headers }: IncomingMessage, host = headers.host): boolean {
    const { origin } = headers;
    if (origin === undefined || this.origins.has(origin) || this.origins.has('*')) return true;
    const name = hostnameOf(origin);
    if (name === null) return false;
    if (!isLoopback(name)) return this.names.has(name);
    const page = new URL(origin);
    return origin === this.publicOrigin || page.host === originOf(`${page.protocol}//${host ?? ''}`)?.host;
  }

  private allows(name: string): boolean {
    return this.names.has(name) || isLoopback(name);
  }
}

const asUrl = (host: string): string => `http://${host.includes('::') && !host.startsWith('[') ? `[${host}]` : host}`;

const originOf = (url: string): URL | null => (URL.canParse(url) ? new URL(url) : null);

/** @returns the name in one spelling: lower case, without a final dot, addresses in their short form; null for no URL */
function hostnameOf(url: string): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '') return null;
  return parsed.hostname.replace(/\.$/, '');
}

const addressName = (address: string | undefined): string | null =>
  address === undefined ? null : hostnameOf(asUrl(address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*/, '')));

/** @see RFC 6761, section 6.3 */
const isLoopback = (name: string): boolean =>
  name === 'localhost' || name.endsWith('.localhost') || /^127(\.\d+){3}$/.test(name) || name === '[::1]';

/** Whether an address to listen on is reached from this machine alone. */
export function isLoopbackHost(host: string): boolean {
  const name = hostnameOf(asUrl(host));
  return name !== null && isLoopback(name);
}
