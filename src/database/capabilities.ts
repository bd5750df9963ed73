import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { Queries } from './connections.ts';
import { Prisma } from './generated/client.ts';

/** Versions and capabilities of a database engine. */
export interface Capabilities {
  /** `15.13` */
  readonly postgresql: string;
  /** `3.3.2` */
  readonly postgis: string;
  /** Whether PostGIS was built with protobuf-c, so that `ST_AsMVT` works. */
  readonly vectorTiles: boolean;
}

/** The server is older than the oldest supported version. */
export class DatabaseTooOldError extends AppError {
  readonly code = 'DATABASE_TOO_OLD';
  constructor(product: string, found: string, needed: string) {
    super(`${product} ${found} is too old; TerraQL needs ${needed} or newer.`);
  }
}

const CapabilitiesRow = z.object({ postgresql: z.string(), postgis: z.string(), vectorTiles: z.boolean() });

/** @throws {DatabaseTooOldError} */
export async function readCapabilities(queries: Queries): Promise<Capabilities> {
  const [found] = await queries.query(
    CapabilitiesRow,
    Prisma.sql`
      SELECT split_part(current_setting('server_version'), ' ', 1) AS postgresql, postgis_lib_version() AS postgis,
             postgis_libprotobuf_version() IS NOT NULL AS "vectorTiles"`,
  );
  if (!found) throw new Error('the database returned no version');
  requireVersion('PostgreSQL', found.postgresql, [15, 0]);
  requireVersion('PostGIS', found.postgis, [3, 3]);
  return found;
}

function requireVersion(product: string, found: string, needed: readonly [number, number]): void {
  const [major = 0, minor = 0] = found.split('.').map((part) => Number.parseInt(part, 10));
  if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
    throw new DatabaseTooOldError(product, found, needed.join('.'));
  }
}
