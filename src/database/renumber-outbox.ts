import { z } from 'zod';
import type { MigrationSession } from './migrate.ts';

/**
 * Statements that give everything in the outbox the number of the present transaction, so that it is in order by its
 * identifiers alone; webhooks keep what they have sent. For one transaction.
 */
export const RENUMBER_OUTBOX = [
  `UPDATE webhook AS w
   SET event_id = GREATEST(w.event_id, COALESCE((
         SELECT max(e.id) FROM event AS e
         WHERE e.workspace_id = w.workspace_id AND (e.transaction, e.id) <= (w.transaction, w.event_id)), 0)),
       transaction = pg_current_xact_id()`,
  'UPDATE event SET transaction = pg_current_xact_id()',
  'UPDATE deletion SET transaction = pg_current_xact_id()',
] as const;

/** Whether something has the number of a transaction that this server has not begun. Uses `event_newest`, `deletion_newest`. */
const IS_OF_ANOTHER_SERVER = `
  SELECT COALESCE(GREATEST(
    (SELECT transaction::text::numeric FROM event ORDER BY transaction DESC, id DESC LIMIT 1),
    (SELECT transaction::text::numeric FROM deletion ORDER BY transaction DESC, id DESC LIMIT 1),
    (SELECT max(transaction::text::numeric) FROM webhook)
  ) > pg_snapshot_xmax(pg_current_snapshot())::text::numeric, false) AS foreign_numbers`;

const FoundRow = z.object({ foreign_numbers: z.boolean() });

/**
 * Renumbers the outbox of a database that was restored from another server. Transactions are counted by a server: what has
 * larger numbers than those to come would be read by nobody, and new events would be missed by webhooks.
 */
export async function renumberRestored(session: MigrationSession): Promise<void> {
  const [found] = z.array(FoundRow).parse(await session.query(IS_OF_ANOTHER_SERVER, []));
  if (found?.foreign_numbers !== true) return;
  await session.script(['BEGIN', ...RENUMBER_OUTBOX, 'COMMIT'].join(';\n'));
}
