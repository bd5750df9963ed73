import { useSyncExternalStore } from 'react';
import { type Address, formatAddress, isStep, MAX_ADDRESS, readAddress } from './address.ts';

type Change = Partial<Address> | ((address: Address) => Partial<Address>);

/** Browsers refuse more than some hundred changes of the history in half a minute. */
const MAP_PAUSE_MS = 500;

const first = readAddress(location.search);
let current = first.address;
let pending: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** Parameters of the address with which the page was opened that could not be read. */
export const unknownParameters = first.unknown;

/** The address, and again whenever it changes. */
export function useAddress(): Address {
  return useSyncExternalStore(subscribe, () => current);
}

/**
 * Changes the address. Filter, view, panel and comparison are steps that Back undoes; all else replaces the present entry,
 * the position of the map at most twice a second.
 */
export function changeAddress(change: Change): void {
  const before = current;
  current = { ...before, ...(typeof change === 'function' ? change(before) : change) };
  for (const listener of listeners) listener();
  if (isStep(before, current)) return write('pushState');
  if (before.map === current.map) return write('replaceState');
  pending ??= setTimeout(() => write('replaceState'), MAP_PAUSE_MS);
}

/** Whether the address is too long to be passed on; it is not written then. */
export const isTooLong = (address: Address): boolean => formatAddress(address).length > MAX_ADDRESS;

function write(method: 'pushState' | 'replaceState'): void {
  clearTimeout(pending);
  pending = undefined;
  if (!isTooLong(current)) history[method](null, '', `${location.pathname}${formatAddress(current)}`);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

addEventListener('popstate', () => {
  current = readAddress(location.search).address;
  for (const listener of listeners) listener();
});
