import { useSyncExternalStore } from 'react';

/** When the service answered last, and since when it has not. */
let answeredAt: Date | null = null;
let lostAt: Date | null = null;
const listeners = new Set<() => void>();

/** What the network tells of the service; the page says so when it is gone. */
export const connection = {
  answered(): void {
    answeredAt = new Date();
    set(null);
  },
  failed(): void {
    set(lostAt ?? new Date());
  },
};

function set(lost: Date | null): void {
  if (lost === lostAt) return;
  lostAt = lost;
  for (const listener of listeners) listener();
}

const lose = (): void => connection.failed();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('offline', lose);
  return () => void listeners.delete(listener);
}

/** Of when what is shown is, while the service is away; null while it answers. */
export function useLostConnection(): Date | null {
  const lost = useSyncExternalStore(subscribe, () => lostAt);
  return lost && (answeredAt ?? lost);
}
