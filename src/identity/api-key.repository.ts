import { z } from 'zod';
import { type Queries, Prisma } from '../database/database.ts';
import { isIdentifier, uuidV7 } from '../database/sql/identifier.ts';
import type { ApiKey, ApiKeyStore, KeyLookup, NewApiKey, StoredKey } from './api-key.ts';
import { ROLES } from './viewer.ts';

const ApiKeyRow = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  role: z.enum(ROLES),
  createdAt: z.date(),
  expiresAt: z.date().nullable(),
  lastUsedAt: z.date().nullable(),
  revokedAt: z.date().nullable(),
}) satisfies z.ZodType<ApiKey>;

const StoredKeyRow = ApiKeyRow.extend({
  workspace: z.string(),
  sha256: z.string().transform((hex): Uint8Array => Buffer.from(hex, 'hex')),
});

const COLUMNS = Prisma.sql`
  k.id, k.name, k.prefix, k.role, k.created_at AS "createdAt", k.expires_at AS "expiresAt",
  k.last_used_at AS "lastUsedAt", k.revoked_at AS "revokedAt"`;

/** Keys of one workspace, in the table `api_key`. */
export class ApiKeyRepository implements ApiKeyStore {
  constructor(
    private readonly queries: Pick<Queries, 'query'>,
    private readonly workspace: string,
  ) {}

  /** Uses `api_key_workspace`. */
  list(): Promise<ApiKey[]> {
    return this.queries.query(
      ApiKeyRow,
      Prisma.sql`SELECT ${COLUMNS} FROM api_key AS k WHERE k.workspace_id = ${this.workspace}::text ORDER BY k.id DESC`,
    );
  }

  async create(
    { name, role, expiresAt, prefix, sha256 }: NewApiKey & Pick<StoredKey, 'prefix' | 'sha256'>,
    by: string,
  ): Promise<ApiKey> {
    const [made] = await this.queries.query(
      ApiKeyRow,
      Prisma.sql`
        INSERT INTO api_key AS k (id, workspace_id, name, prefix, sha256, role, created_by, expires_at)
        VALUES (${uuidV7()}::uuid, ${this.workspace}::text, ${name}::text, ${prefix}::text,
                decode(${Buffer.from(sha256).toString('hex')}::text, 'hex'), ${role}::text, ${by}::text,
                ${expiresAt?.toISOString() ?? null}::text::timestamptz)
        RETURNING ${COLUMNS}`,
    );
    if (!made) throw new Error('the key was not stored');
    return made;
  }

  async revoke(id: string): Promise<ApiKey | null> {
    if (!isIdentifier(id)) return null;
    const [revoked] = await this.queries.query(
      ApiKeyRow,
      Prisma.sql`
        UPDATE api_key AS k SET revoked_at = coalesce(k.revoked_at, CURRENT_TIMESTAMP)
        WHERE k.workspace_id = ${this.workspace}::text AND k.id = ${id}::text::uuid RETURNING ${COLUMNS}`,
    );
    return revoked ?? null;
  }
}

/** Keys of all workspaces, in the table `api_key`. */
export class KeyLookupRepository implements KeyLookup {
  constructor(private readonly queries: Pick<Queries, 'query' | 'execute'>) {}

  /** Uses `api_key_prefix`. */
  withPrefix(prefix: string): Promise<StoredKey[]> {
    return this.queries.query(
      StoredKeyRow,
      Prisma.sql`
        SELECT ${COLUMNS}, k.workspace_id AS workspace, encode(k.sha256, 'hex') AS sha256
        FROM api_key AS k WHERE k.prefix = ${prefix}::text`,
    );
  }

  async touch(id: string): Promise<void> {
    await this.queries.execute(
      Prisma.sql`UPDATE api_key SET last_used_at = CURRENT_TIMESTAMP WHERE id = ${id}::text::uuid`,
    );
  }
}
