import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import type { LinkKey, LinkKeyStore } from './link-signer.ts';

const LinkKeyRow = z.object({
  id: z.string(),
  secret: z.string().transform((hex) => Buffer.from(hex, 'hex')),
  createdAt: z.date(),
});

/** Keys of links, in the table `link_key`. */
export class LinkKeyRepository implements LinkKeyStore {
  constructor(private readonly queries: Pick<Queries, 'query' | 'execute'>) {}

  list(): Promise<LinkKey[]> {
    return this.queries.query(
      LinkKeyRow,
      Prisma.sql`SELECT id, encode(secret, 'hex') AS secret, created_at AS "createdAt" FROM link_key ORDER BY created_at DESC`,
    );
  }

  async add(id: string, secret: Buffer): Promise<void> {
    await this.queries.execute(
      Prisma.sql`INSERT INTO link_key (id, secret) VALUES (${id}::text, decode(${secret.toString('hex')}::text, 'hex'))`,
    );
  }

  async removeBefore(instant: Date): Promise<void> {
    await this.queries.execute(
      Prisma.sql`DELETE FROM link_key WHERE created_at < ${instant.toISOString()}::text::timestamptz`,
    );
  }
}
