import { mkdir, realpath } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { postgis } from '@electric-sql/pglite-postgis';
import { ownDirectory } from './directory-ownership.ts';

/** What the migrations create besides what every PostgreSQL has. */
export const EMBEDDED_EXTENSIONS = { postgis, pg_trgm };

/** PostgreSQL with PostGIS inside this process. */
export interface EmbeddedEngine {
  readonly pglite: PGlite;
  close(): Promise<void>;
}

/**
 * Opens the database of a folder, which is made when it is missing (this takes some seconds).
 * @param directory absolute or relative to the working directory
 * @throws {EmbeddedDatabaseInUseError} when another process has it open
 */
export async function openEmbeddedEngine(directory: string): Promise<EmbeddedEngine> {
  await mkdir(directory, { recursive: true });
  const owned = await realpath(directory);
  const release = await ownDirectory(owned);
  try {
    const pglite = await PGlite.create({ dataDir: owned, extensions: EMBEDDED_EXTENSIONS });
    return {
      pglite,
      async close() {
        await pglite.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
