import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import type { AskedPrompt, AskedPrompts } from './prompts.ts';

const PromptRow = z.object({ key: z.string(), text: z.string() });

/** Prompts in the table of segmentations. Uses `segmentation_prompt_key`, from one prompt to the next. */
export class PromptRepository implements AskedPrompts {
  constructor(private readonly database: Queries) {}

  list(after: string | null, limit: number): Promise<AskedPrompt[]> {
    return this.database.query(
      PromptRow,
      Prisma.sql`
        WITH RECURSIVE asked AS (
          (SELECT s.prompt_key AS key, s.prompt AS text, 1 AS place FROM ${this.database.scope.rows('segmentation')} AS s
           WHERE s.prompt_key > ${after ?? ''}::text ORDER BY s.prompt_key LIMIT 1)
          UNION ALL
          SELECT following.key, following.text, asked.place + 1 FROM asked CROSS JOIN LATERAL (
            SELECT s.prompt_key AS key, s.prompt AS text FROM ${this.database.scope.rows('segmentation')} AS s
            WHERE s.prompt_key > asked.key ORDER BY s.prompt_key LIMIT 1
          ) AS following WHERE asked.place < ${limit}::int
        )
        SELECT asked.key, asked.text FROM asked ORDER BY asked.place`,
    );
  }

  async byKey(key: string): Promise<AskedPrompt | null> {
    const [found] = await this.database.query(
      PromptRow,
      Prisma.sql`SELECT s.prompt_key AS key, s.prompt AS text FROM ${this.database.scope.rows('segmentation')} AS s WHERE s.prompt_key = ${key}::text LIMIT 1`,
    );
    return found ?? null;
  }
}
