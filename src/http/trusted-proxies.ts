import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import ipaddr from 'ipaddr.js';

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Proxies whose word on host, protocol and address of a client is taken; everybody else's `X-Forwarded-*` is ignored. */
export class TrustedProxies {
  private readonly ranges: readonly Range[];

  /** @param proxies addresses and ranges, as `10.0.0.0/8` */
  constructor(proxies: readonly string[]) {
    this.ranges = proxies.map(rangeOf);
  }

  /** Whether the request comes from such a proxy. */
  trusts({ socket }: IncomingMessage): boolean {
    return this.includes(socket.remoteAddress);
  }

  /** Address of the client: the last one in `X-Forwarded-For` that is no such proxy, else the one connected from. */
  clientOf(request: IncomingMessage): string {
    const connected = request.socket.remoteAddress ?? '';
    if (this.ranges.length === 0) return plain(connected);
    const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    const path = [...forwarded.map((address) => address.trim()), connected].filter(ipaddr.isValid);
    return plain(path.findLast((address, index) => index === 0 || !this.includes(address)) ?? connected);
  }

  /** Host and protocol under which the client addressed the service; host undefined where it named none. */
  addressedAs(request: IncomingMessage): { readonly protocol: 'http' | 'https'; readonly host: string | undefined } {
    const { headers } = request;
    if (!this.trusts(request)) return { protocol: 'http', host: headers.host };
    const host = firstOf(headers['x-forwarded-host']) ?? headers.host;
    return { protocol: firstOf(headers['x-forwarded-proto']) === 'https' ? 'https' : 'http', host };
  }

  private includes(address: string | undefined): boolean {
    if (this.ranges.length === 0 || address === undefined || !ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return this.ranges.some((range) => range[0].kind() === parsed.kind() && parsed.match(range));
  }
}

function rangeOf(text: string): Range {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Addresses without the prefix that IPv6 gives those of IPv4. */
function plain(address: string): string {
  if (net.isIPv4(address)) return address;
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}

const firstOf = (header: string | string[] | undefined): string | undefined =>
  [header ?? []].flat()[0]?.split(',')[0]?.trim() || undefined;
