import { LRUCache } from 'lru-cache';
import { hasSecret, isKeySecret, type KeyLookup, prefixOf, sha256Of, type StoredKey } from './api-key.ts';
import { UnauthenticatedError } from './identity-errors.ts';

/** A key that another process revoked is accepted no longer than this. */
const KEPT_MS = 15_000;
const TOUCH_MS = 60_000;
const MOST_KEPT = 10_000;

/** Accepts API keys. Accepted keys are kept for some seconds, so that a request costs no statement. */
export class KeyRing {
  private readonly kept = new LRUCache<string, StoredKey>({ max: MOST_KEPT, ttl: KEPT_MS });
  private readonly touchedAt = new LRUCache<string, number>({ max: MOST_KEPT });

  /** @param onError told of failures to record the use of a key */
  constructor(
    private readonly lookup: KeyLookup,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** @throws {UnauthenticatedError} for a key that does not exist, was revoked, or has expired */
  async accept(secret: string): Promise<StoredKey> {
    const key = await this.find(secret);
    const suspect = { workspace: key.workspace, subject: key.name };
    if (key.revokedAt !== null) throw new UnauthenticatedError('The API key was revoked.', suspect);
    if (key.expiresAt !== null && key.expiresAt.getTime() <= Date.now()) {
      throw new UnauthenticatedError(`The API key expired at ${key.expiresAt.toISOString()}.`, suspect);
    }
    this.touch(key.id);
    return key;
  }

  /** Asks the database again when the key is used next. */
  forget(id: string): void {
    for (const [digest, key] of this.kept.entries()) if (key.id === id) this.kept.delete(digest);
  }

  private async find(secret: string): Promise<StoredKey> {
    const digest = sha256Of(secret).toString('base64url');
    const known = this.kept.get(digest);
    if (known) return known;
    const candidates = isKeySecret(secret) ? await this.lookup.withPrefix(prefixOf(secret)) : [];
    const key = candidates.find((candidate) => hasSecret(candidate, secret));
    if (!key) {
      // Whoever knows how a key begins is told nothing of it, but its owner is told of the attempt.
      const [alike] = candidates;
      const suspect = alike ? { workspace: alike.workspace, subject: alike.name } : null;
      throw new UnauthenticatedError('The API key does not exist.', suspect);
    }
    this.kept.set(digest, key);
    return key;
  }

  private touch(id: string): void {
    const now = Date.now();
    if (now - (this.touchedAt.get(id) ?? 0) < TOUCH_MS) return;
    this.touchedAt.set(id, now);
    this.lookup.touch(id).catch(this.onError);
  }
}
