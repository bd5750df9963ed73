import { useSyncExternalStore } from 'react';

/** When the service answered last, and since when it has not. */
let answeredAt: Date | null = null;
let lostAt: Date | null = null;
const listeners = new Set<() => void>();

/** Whether the service is reachable; the page shows when it is not. */
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
