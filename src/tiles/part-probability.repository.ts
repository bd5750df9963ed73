import { z } from 'zod';
import { Prisma, type WorkspaceDatabase } from '../database/database.ts';
import type { PartProbabilities } from './segmentation-tile.service.ts';

const Row = z.object({ label: z.number(), probability: z.number() });

/** Reads the probabilities of the parts of a mask: those of its features. Uses `feature_label`. */
export class PartProbabilityRepository implements PartProbabilities {
  constructor(private readonly database: WorkspaceDatabase) {}

  async byLabel(segmentationId: string): Promise<Float64Array> {
    const rows = await this.database.query(
      Row,
      Prisma.sql`
        SELECT f.label, f.mean_probability AS probability FROM ${this.database.scope.rows('feature')} AS f
        WHERE f.segmentation_id = ${segmentationId}::uuid
        ORDER BY f.label`,
    );
    const probabilities = new Float64Array((rows.at(-1)?.label ?? 0) + 1);
    for (const { label, probability } of rows) probabilities[label] = probability;
    return probabilities;
  }
}
