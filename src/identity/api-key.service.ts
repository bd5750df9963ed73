import {
  type ApiKey,
  ApiKeyNotFoundError,
  type ApiKeyStore,
  InvalidApiKeyError,
  type NewApiKey,
  newSecret,
  prefixOf,
  sha256Of,
} from './api-key.ts';

const MAX_NAME = 200;

/** A new key with its secret, which is shown this once. */
export interface CreatedApiKey {
  readonly key: ApiKey;
  readonly secret: string;
}

/** The keys of a viewer's workspace. */
export class ApiKeyService {
  /**
   * @param subject who makes keys
   * @param onRevoked told of each key that is no longer accepted, so that this process forgets it at once
   */
  constructor(
    private readonly store: ApiKeyStore,
    private readonly subject: string,
    private readonly onRevoked: (id: string) => void = () => undefined,
  ) {}

  /** Newest first, revoked and expired ones too. */
  list(): Promise<ApiKey[]> {
    return this.store.list();
  }

  /** @throws {InvalidApiKeyError} */
  async create({ name: given, role, expiresAt }: NewApiKey): Promise<CreatedApiKey> {
    const name = given.trim();
    if (name === '' || name.length > MAX_NAME) {
      throw new InvalidApiKeyError(`The name of a key must have 1 to ${MAX_NAME} characters; it has ${name.length}.`);
    }
    if (expiresAt !== null && expiresAt.getTime() <= Date.now()) {
      throw new InvalidApiKeyError(`The key would expire at ${expiresAt.toISOString()}, which is in the past.`);
    }
    const secret = newSecret();
    const key = { name, role, expiresAt, prefix: prefixOf(secret), sha256: sha256Of(secret) };
    return { key: await this.store.create(key, this.subject), secret };
  }

  /** From now on the key is refused: by this process at once, by others within seconds. @throws {ApiKeyNotFoundError} */
  async revoke(id: string): Promise<ApiKey> {
    const key = await this.store.revoke(id);
    if (!key) throw new ApiKeyNotFoundError(id);
    this.onRevoked(key.id);
    return key;
  }
}
