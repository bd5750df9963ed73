import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { AppError } from '../errors.ts';

/** A host with a non-public address: this machine, a private network, a cloud's metadata service. */
export class AddressNotAllowedError extends AppError {
  readonly code = 'ADDRESS_NOT_ALLOWED';
  constructor(
    readonly host: string,
    readonly address: string,
  ) {
    super(`Host ${host} has address ${address}, which is not a public internet address.`);
  }
}

/** A host name without an address. */
export class HostNotFoundError extends AppError {
  readonly code = 'HOST_NOT_FOUND';
  constructor(
    readonly host: string,
    options?: ErrorOptions,
  ) {
    super(`Host ${host} has no address.`, options);
  }
}

/** One address of a host. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds all addresses of a host name. */
export type Resolver = (host: string) => Promise<readonly ResolvedAddress[]>;

/** The operating system's resolver. */
export const systemResolver: Resolver = (host) => lookup(host, { all: true });

/**
 * Whether an address is public: not private, loopback, link-local, unique-local, multicast, carrier-grade NAT,
 * documentation, reserved, or an IPv6 form that embeds an IPv4 address (mapped addresses are unwrapped).
 * @see IANA special-purpose address registries (RFC 6890)
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv6' && !parsed.match(ipaddr.parseCIDR('2000::/3'))) return false; // the only global unicast block
  return parsed.range() === 'unicast';
}

/**
 * Resolves a host and refuses it when any of its addresses is not allowed.
 * @param host name, or address without brackets
 * @throws {AddressNotAllowedError | HostNotFoundError}
 */
export async function checkedAddresses(
  host: string,
  resolver: Resolver,
  isAllowed: (address: string) => boolean,
): Promise<readonly ResolvedAddress[]> {
  const literal = ipaddr.isValid(host)
    ? [{ address: host, family: ipaddr.parse(host).kind() === 'ipv6' ? 6 : 4 }]
    : null;
  const addresses = literal ?? (await resolved(host, resolver));
  for (const { address } of addresses) if (!isAllowed(address)) throw new AddressNotAllowedError(host, address);
  return addresses;
}

async function resolved(host: string, resolver: Resolver): Promise<readonly ResolvedAddress[]> {
  let addresses: readonly ResolvedAddress[];
  try {
    addresses = await resolver(host);
  } catch (cause) {
    throw new HostNotFoundError(host, { cause });
  }
  if (addresses.length === 0) throw new HostNotFoundError(host);
  return addresses;
}
