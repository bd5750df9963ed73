import { expect } from 'vitest';
import { z } from 'zod';
import { type Database, Prisma } from '../../src/database/database.ts';

const CountRow = z.object({ count: z.number() });

/** Waits for events that wait for a transaction beside theirs, which may be of another database of the server. */
export async function allVisible(database: Database): Promise<void> {
  const hidden = (): Promise<{ count: number }[]> =>
    database.query(
      CountRow,
      Prisma.sql`SELECT count(*)::int AS count FROM event WHERE transaction >= pg_snapshot_xmin(pg_current_snapshot())`,
    );
  await expect.poll(hidden, { timeout: 60_000 }).toEqual([{ count: 0 }]);
}
