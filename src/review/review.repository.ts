import { z } from 'zod';
import { type WorkspaceDatabase, Prisma, type Queries } from '../database/database.ts';
import { uuidV7, requireIdentifier } from '../database/sql/identifier.ts';
import { REVIEW_STATUSES } from '../feature/feature.filter.ts';
import type { Review, ReviewStore, Verdict } from './review.ts';
import { ReviewChangedError, ReviewedFeatureNotFoundError } from './review.service.ts';

const ReviewRow = z
  .object({
    featureId: z.string(),
    status: z.enum(REVIEW_STATUSES),
    label: z.string().nullable(),
    note: z.string().nullable(),
    by: z.string(),
    at: z.date(),
  })
  .transform(({ featureId, ...review }): { featureId: string; review: Review } => ({ featureId, review }));
const LockedRow = z.object({ id: z.string() });

const COLUMNS = Prisma.sql`r.feature_id AS "featureId", r.status, r.label, r.note, r.reviewer AS by, r.at`;
const idArray = (ids: readonly string[]): Prisma.Sql =>
  Prisma.sql`${`{${ids.map((id) => requireIdentifier('ids', id)).join(',')}}`}::text::uuid[]`;

/** Reviews in the table `review`, which keeps every one. */
export class ReviewRepository implements ReviewStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  /** Uses `review_current`. */
  async current(featureIds: readonly string[]): Promise<Map<string, Review>> {
    const rows = await currentOf(this.database, featureIds);
    return new Map(rows.map(({ featureId, review }) => [featureId, review]));
  }

  /** Uses `review_history`. */
  async history(featureIds: readonly string[]): Promise<Map<string, readonly Review[]>> {
    const rows = await this.database.query(
      ReviewRow,
      Prisma.sql`
        SELECT ${COLUMNS} FROM ${this.database.scope.rows('review')} AS r WHERE r.feature_id = ANY(${idArray(featureIds)})
        ORDER BY r.feature_id, r.at DESC, r.id DESC`,
    );
    const found = new Map<string, Review[]>(featureIds.map((id) => [id, []]));
    for (const { featureId, review } of rows) found.get(featureId)?.push(review);
    return found;
  }

  /** Features are locked in the order of their identifiers, so that verdicts on the same ones wait for each other. */
  put(featureIds: readonly string[], verdict: Verdict, unchangedSince: Date | null): Promise<void> {
    return this.database.transaction(async (queries) => {
      const locked = await queries.query(
        LockedRow,
        Prisma.sql`SELECT f.id FROM feature AS f WHERE ${queries.scope.owns('f')} AND f.id = ANY(${idArray(featureIds)}) ORDER BY f.id FOR NO KEY UPDATE`,
      );
      const known = new Set(locked.map(({ id }) => id));
      const missing = featureIds.find((id) => !known.has(id.toLowerCase()));
      if (missing !== undefined) throw new ReviewedFeatureNotFoundError(missing);
      if (unchangedSince) {
        const newer = (await currentOf(queries, featureIds)).find(({ review }) => review.at > unchangedSince);
        if (newer) throw new ReviewChangedError(newer.featureId, newer.review);
      }
      await queries.execute(
        Prisma.sql`UPDATE review SET is_current = false WHERE ${queries.scope.owns('review')} AND is_current AND feature_id = ANY(${idArray(featureIds)})`,
      );
      const rows = locked.map(({ id }) => ({ id: uuidV7(), feature: id }));
      await queries.execute(Prisma.sql`
        INSERT INTO review (workspace_id, id, feature_id, scene_id, status, label, note, reviewer)
        SELECT ${queries.workspace}::text, given.id, f.id, f.scene_id, ${verdict.status}::text, ${verdict.label}::text, ${verdict.note}::text, ${verdict.by}::text
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS given(id uuid, feature uuid)
        JOIN ${queries.scope.rows('feature')} AS f ON f.id = given.feature`);
    });
  }
}

function currentOf(queries: Queries, featureIds: readonly string[]) {
  return queries.query(
    ReviewRow,
    Prisma.sql`SELECT ${COLUMNS} FROM ${queries.scope.rows('review')} AS r WHERE r.is_current AND r.feature_id = ANY(${idArray(featureIds)})`,
  );
}
