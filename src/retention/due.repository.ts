import { z } from 'zod';
import { type Connections, Prisma } from '../database/database.ts';

const IdRow = z.object({ id: z.string() });
const SceneCopyRow = z.object({ id: z.string(), blobKey: z.string().nullable() });
export type SceneCopy = z.infer<typeof SceneCopyRow>;

/** What is due to be deleted, in every workspace, and its deletion. */
export class DueRepository {
  /** @param database of every workspace */
  constructor(private readonly database: Connections) {}

  /** Segmentations that ended before a time. Uses `segmentation_finished`. */
  async answers(endedBefore: Date, limit: number): Promise<string[]> {
    const rows = await this.database.query(
      IdRow,
      Prisma.sql`SELECT id FROM segmentation WHERE finished_at < ${endedBefore}::timestamptz ORDER BY finished_at LIMIT ${limit}::int`,
    );
    return rows.map(({ id }) => id);
  }

  /** Uses `segmentation_scene`. */
  async answersIn(sceneId: string): Promise<string[]> {
    const rows = await this.database.query(
      IdRow,
      Prisma.sql`SELECT id FROM segmentation WHERE scene_id = ${sceneId}::uuid ORDER BY id`,
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Scenes whose own time is over, and those without one that were registered before a time. Uses `scene_keep_until` and
   * `scene_registered`.
   */
  scenes(now: Date, registeredBefore: Date | null, limit: number): Promise<SceneCopy[]> {
    return this.database.query(
      SceneCopyRow,
      Prisma.sql`
        (SELECT id, blob_key AS "blobKey" FROM scene WHERE keep_until <= ${now}::timestamptz ORDER BY keep_until LIMIT ${limit}::int)
        UNION ALL
        (SELECT id, blob_key AS "blobKey" FROM scene
         WHERE keep_until IS NULL AND created_at < COALESCE(${registeredBefore}::timestamptz, '-infinity')
         ORDER BY created_at LIMIT ${limit}::int)
        LIMIT ${limit}::int`,
    );
  }

  /** Scenes with a copy of their image, registered before a time, that no run reads. Uses `scene_copy_registered`. */
  images(registeredBefore: Date, limit: number): Promise<SceneCopy[]> {
    return this.database.query(
      SceneCopyRow,
      Prisma.sql`
        SELECT c.id, c.blob_key AS "blobKey" FROM scene AS c
        WHERE c.blob_key IS NOT NULL AND c.created_at < ${registeredBefore}::timestamptz AND NOT EXISTS (
          SELECT 1 FROM segmentation AS s WHERE s.scene_id = c.id AND s.state IN ('QUEUED', 'RUNNING'))
        ORDER BY c.created_at LIMIT ${limit}::int`,
    );
  }

  /** Its mask, features, pairs and reviews go with it, by foreign keys. */
  removeAnswer(id: string): Promise<number> {
    return this.database.transaction((queries) =>
      queries.execute(Prisma.sql`DELETE FROM segmentation WHERE id = ${id}::uuid`),
    );
  }

  removeScene(id: string): Promise<number> {
    return this.database.transaction((queries) =>
      queries.execute(Prisma.sql`DELETE FROM scene WHERE id = ${id}::uuid`),
    );
  }

  /** Says that a scene has no copy of its image any more. */
  forgetImage({ id, blobKey }: SceneCopy, at: Date): Promise<number> {
    return this.database.execute(Prisma.sql`
      UPDATE scene SET blob_key = NULL, blob_bytes = NULL, image_deleted_at = ${at}::timestamptz
      WHERE id = ${id}::uuid AND blob_key = ${blobKey}::text`);
  }

  /** Uses `deletion_at`. */
  removeDeletions(before: Date): Promise<number> {
    return this.database.execute(Prisma.sql`DELETE FROM deletion WHERE at < ${before}::timestamptz`);
  }
}
