import { z } from 'zod';
import { type Connections, Prisma } from '../database/database.ts';
import type { StoredBlobs } from './blob-sweeper.ts';

const BlobKeyRow = z.object({ blobKey: z.string() });

/** Which copies of files the scenes of all workspaces have. */
export class StoredBlobsRepository implements StoredBlobs {
  /** @param database of every workspace */
  constructor(private readonly database: Connections) {}

  /** Uses `scene_blob_key`. */
  async storedBlobs(blobKeys: readonly string[]): Promise<Set<string>> {
    if (blobKeys.length === 0) return new Set();
    const rows = await this.database.query(
      BlobKeyRow,
      Prisma.sql`SELECT blob_key AS "blobKey" FROM scene WHERE blob_key IN (${Prisma.join([...blobKeys])})`,
    );
    return new Set(rows.map(({ blobKey }) => blobKey));
  }
}
