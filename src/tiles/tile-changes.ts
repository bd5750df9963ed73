import { z } from 'zod';
import type { Database } from '../database/database.ts';
import type { Bbox } from '../feature/feature.ts';
import type { Logger } from '../logging.ts';
import { parseJson } from '../parse-json.ts';

/** A change that tiles must follow. */
interface Changing {
  /** @param workspace of the tiles */
  change(workspace: string, bbox: Bbox): void;
  clear(): void;
}

const Change = z.object({
  workspace: z.string(),
  boxes: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
});

/**
 * Lets tiles follow what any process stores: a commit that adds, deletes or reviews features announces their workspace and
 * the boxes that hold them on `terraql_features`, one that adds or deletes a scene its footprint on `terraql_scenes`.
 * @returns stops following
 */
export async function followChanges(
  database: Pick<Database, 'session'>,
  channel: 'terraql_features' | 'terraql_scenes',
  tiles: readonly Changing[],
  logger: Logger,
): Promise<() => void> {
  return database.session.listen(channel, {
    onNotification: (payload) => {
      const read = Change.safeParse(parseJson(payload));
      if (read.success) {
        const { workspace, boxes } = read.data;
        for (const box of boxes) for (const one of tiles) one.change(workspace, box);
      } else {
        logger.warn({ channel, payload: payload.slice(0, 200) }, 'Tiles:UnreadableChange');
        for (const one of tiles) one.clear();
      }
    },
    onReconnect: () => {
      for (const one of tiles) one.clear();
    },
  });
}
