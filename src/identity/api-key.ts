import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { Role } from './viewer.ts';

/** Every key begins so, by which people and scanners of secrets recognise it. */
export const KEY_MARK = 'tql_';
const SECRET_BYTES = 32;
const PREFIX_LENGTH = KEY_MARK.length + 8;
/** 256 bits in base64url. */
const KEY = /^tql_[A-Za-z0-9_-]{43}$/;

/** A key as its workspace sees it: without the secret. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** First characters of the secret. */
  readonly prefix: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  /** To the minute; null while it was never used. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** What is needed to accept a key. */
export interface StoredKey extends ApiKey {
  readonly workspace: string;
  readonly sha256: Uint8Array;
}

/** What an administrator says of a new key. */
export interface NewApiKey {
  readonly name: string;
  readonly role: Role;
  /** Null: never expires. */
  readonly expiresAt: Date | null;
}

/** Keys of one workspace; the port that the database implements. */
export interface ApiKeyStore {
  /** Newest first. */
  list(): Promise<ApiKey[]>;
  /** @param by who makes it */
  create(key: NewApiKey & Pick<StoredKey, 'prefix' | 'sha256'>, by: string): Promise<ApiKey>;
  /** @returns the key, revoked now or before; null when there is none */
  revoke(id: string): Promise<ApiKey | null>;
}

/** Keys of all workspaces, for authentication. */
export interface KeyLookup {
  /** Keys whose secret begins so, revoked and expired ones too. */
  withPrefix(prefix: string): Promise<StoredKey[]>;
  /** Records that the key is in use. */
  touch(id: string): Promise<void>;
}

/** There is no key of that identifier. */
export class ApiKeyNotFoundError extends AppError {
  readonly code = 'API_KEY_NOT_FOUND';
  constructor(id: string) {
    super(`API key ${JSON.stringify(id)} does not exist.`);
  }
}

/** A key cannot be made as asked. */
export class InvalidApiKeyError extends AppError {
  readonly code = 'API_KEY_INVALID';
}

/** @returns a new secret of 256 random bits */
export const newSecret = (): string => KEY_MARK + randomBytes(SECRET_BYTES).toString('base64url');

export const isKeySecret = (text: string): boolean => KEY.test(text);

export const prefixOf = (secret: string): string => secret.slice(0, PREFIX_LENGTH);

/** The secret has 256 random bits, so a fast hash is as safe as a slow one. */
export const sha256Of = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Compares in constant time. */
export const hasSecret = ({ sha256 }: Pick<StoredKey, 'sha256'>, secret: string): boolean =>
  timingSafeEqual(sha256, sha256Of(secret));
