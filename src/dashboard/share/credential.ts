const STORED = 'terraql-key';

/** The key that this tab asks with, where the service requires one; kept for the tab alone. */
export const credential = {
  get: (): string | null => sessionStorage.getItem(STORED),
  set(key: string): void {
    sessionStorage.setItem(STORED, key);
  },
  clear(): void {
    sessionStorage.removeItem(STORED);
  },
  headers(): Record<string, string> {
    const key = sessionStorage.getItem(STORED);
    return key === null ? {} : { authorization: `Bearer ${key}` };
  },
};
