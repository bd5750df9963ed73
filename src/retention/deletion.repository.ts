import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { DELETED_KINDS, type Deletion, type DeletionPosition, type DeletionStore } from './deletion.ts';

const PositionRow = z.object({ transaction: z.string(), id: z.number(), at: z.date() });
const DeletionRow = z
  .object({
    kind: z.enum(DELETED_KINDS),
    objectId: z.string(),
    sceneId: z.string(),
    segmentationId: z.string().nullable(),
    ...PositionRow.shape,
  })
  .transform(({ objectId, transaction, id, ...deletion }): Deletion => ({
    ...deletion,
    id: objectId,
    position: { transaction, id, at: deletion.at },
  }));

/** Transactions below are complete: none of them will add a deletion. */
const COMPLETE = Prisma.sql`pg_snapshot_xmin(pg_current_snapshot())`;

/** Deletions of one workspace, in the table `deletion`. */
export class DeletionRepository implements DeletionStore {
  constructor(private readonly database: Pick<Queries, 'query' | 'scope'>) {}

  async end(): Promise<DeletionPosition> {
    const [row] = await this.database.query(
      PositionRow,
      Prisma.sql`SELECT ${COMPLETE}::text AS transaction, 0::float8 AS id, clock_timestamp()::timestamptz(3) AS at`,
    );
    if (!row) throw new Error('the database has no snapshot');
    return row;
  }

  /** Uses `deletion_of_workspace`. */
  after(from: DeletionPosition | Date, limit: number): Promise<Deletion[]> {
    const behind =
      from instanceof Date
        ? Prisma.sql`d.at >= ${from}::timestamptz`
        : Prisma.sql`(d.transaction, d.id) > (${from.transaction}::text::xid8, ${from.id}::float8::bigint)`;
    return this.database.query(
      DeletionRow,
      Prisma.sql`
        SELECT d.kind, d.object_id AS "objectId", d.scene_id AS "sceneId", d.segmentation_id AS "segmentationId",
          d.transaction::text AS transaction, d.id::float8 AS id, d.at
        FROM ${this.database.scope.rows('deletion')} AS d WHERE ${behind} AND d.transaction < ${COMPLETE}
        ORDER BY d.transaction, d.id LIMIT ${limit}::int`,
    );
  }
}
