import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { uuidsSql } from '../database/sql/uuids.ts';
import type { PixelMeasures } from '../feature/measures.ts';
import { PIXEL_MEASURE_COLUMNS } from '../feature/measures.repository.ts';
import { PIXEL_MEASURE_SHAPE } from '../feature/measures.schema.ts';
import type { SameAnswer } from './run.store.ts';
import { EMPTY_REASONS, type StoredMask } from './segmentation.ts';

const AnswerRow = z.object({
  id: z.string(),
  answer: z.string(),
  emptyReason: z.enum(EMPTY_REASONS).nullable(),
  windows: z.number(),
});
const MeasuresRow = z.object({ answer: z.string(), label: z.number(), ...PIXEL_MEASURE_SHAPE });

/**
 * See {@link RunStore.sameAnswers}; the newest answer of each. Uses the primary key, `segmentation_identity` and
 * `feature_label`.
 * @param masksOf the masks of segmentations
 */
export async function findSameAnswers(
  queries: Queries,
  ids: readonly string[],
  masksOf: (ids: readonly string[]) => Promise<Map<string, StoredMask>>,
): Promise<Map<string, SameAnswer>> {
  const found = await queries.query(
    AnswerRow,
    Prisma.sql`
      SELECT DISTINCT ON (s.id) s.id, other.id AS answer, other.empty_reason AS "emptyReason",
             other.windows_total AS windows
      FROM ${queries.scope.rows('segmentation')} AS s JOIN ${queries.scope.rows('segmentation')} AS other ON other.workspace_id = s.workspace_id AND other.identity = s.identity AND other.state = 'SUCCEEDED'
      WHERE s.id = ANY(${uuidsSql(ids)}) AND NOT s.forced
      ORDER BY s.id, other.id DESC`,
  );
  if (found.length === 0) return new Map();
  const answers = found.map(({ answer }) => answer);
  const masks = await masksOf(answers);
  const measured = await queries.query(
    MeasuresRow,
    Prisma.sql`
      SELECT f.segmentation_id AS answer, f.label, ${PIXEL_MEASURE_COLUMNS}
      FROM ${queries.scope.rows('feature')} AS f WHERE f.segmentation_id = ANY(${uuidsSql(answers)})`,
  );
  const byAnswer = new Map(answers.map((answer) => [answer, new Map<number, PixelMeasures>()]));
  for (const { answer, label, ...measures } of measured) byAnswer.get(answer)!.set(label, measures);
  return new Map(
    found.flatMap(({ id, answer, emptyReason, windows }) => {
      const mask = masks.get(answer);
      // The scene of the answer may have been deleted in between.
      return mask ? [[id, { mask, emptyReason, windows, measures: byAnswer.get(answer)! }] as const] : [];
    }),
  );
}
