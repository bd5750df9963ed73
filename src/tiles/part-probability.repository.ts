import { z } from 'zod';
import { type Database, Prisma } from '../database/database.ts';
import type { PartProbabilities } from './segmentation-tile.service.ts';

const Row = z.object({ label: z.number(), probability: z.number() });

/** Reads the probabilities of the parts of a mask: those of its features. Uses `feature_label`. */
export class PartProbabilityRepository implements PartProbabilities {
  constructor(private readonly database: Database) {}

  async byLabel(segmentationId: string): Promise<Float64Array> {
    const rows = await this.database.query(
      Row,
      Prisma.sql`
        SELECT label, mean_probability AS probability FROM feature WHERE segmentation_id = ${segmentationId}::uuid
        ORDER BY label`,
    );
    const probabilities = new Float64Array((rows.at(-1)?.label ?? 0) + 1);
    for (const { label, probability } of rows) probabilities[label] = probability;
    return probabilities;
  }
}
