import { z } from 'zod';
import { type WorkspaceDatabase, Prisma } from '../database/database.ts';
import { uuidV7, requireIdentifier } from '../database/sql/identifier.ts';
import { type RequestedFilter, storedFilter } from '../feature/check-filter.ts';
import { FEATURE_SORT_KEYS } from '../feature/feature.filter.ts';
import type { NewView, View, ViewStore } from './view.ts';
import { ViewSlugTakenError } from './view.service.ts';

const ViewRow = z
  .object({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    filter: z.record(z.string(), z.unknown()),
    order: z.object({ by: z.enum(FEATURE_SORT_KEYS), direction: z.enum(['ASC', 'DESC']) }).nullable(),
    style: z.unknown(),
  })
  // Checked by the schema's types and by the filter's own rules before it was stored; JSON has no instants.
  .transform(({ filter, ...row }): View => ({ ...row, filter: storedFilter(filter as RequestedFilter) }));

const COLUMNS = Prisma.sql`v.id, v.slug, v.name, v.filter, v.order_by AS "order", v.style`;

/** Views in the table `view`. */
export class ViewRepository implements ViewStore {
  constructor(private readonly database: WorkspaceDatabase) {}

  list(): Promise<View[]> {
    return this.database.query(
      ViewRow,
      Prisma.sql`SELECT ${COLUMNS} FROM ${this.database.scope.rows('view')} AS v ORDER BY v.name, v.id`,
    );
  }

  async byId(id: string): Promise<View | null> {
    return (await this.byIds([id]))[0] ?? null;
  }

  byIds(ids: readonly string[]): Promise<View[]> {
    const known = ids.map((id) => requireIdentifier('id', id));
    return this.database.query(
      ViewRow,
      Prisma.sql`SELECT ${COLUMNS} FROM ${this.database.scope.rows('view')} AS v WHERE v.id = ANY(${`{${known.join(',')}}`}::text::uuid[])`,
    );
  }

  async bySlug(slug: string): Promise<View | null> {
    const [view] = await this.database.query(
      ViewRow,
      Prisma.sql`SELECT ${COLUMNS} FROM ${this.database.scope.rows('view')} AS v WHERE v.slug = ${slug}::text`,
    );
    return view ?? null;
  }

  async create(view: NewView): Promise<View> {
    const [made] = await this.database.query(
      ViewRow,
      Prisma.sql`
        INSERT INTO view AS v (workspace_id, id, slug, name, filter, order_by, style)
        VALUES (${this.database.workspace}::text, ${uuidV7()}::uuid, ${view.slug}::text, ${view.name}::text, ${JSON.stringify(view.filter)}::text::jsonb,
                ${jsonOf(view.order)}::text::jsonb, ${jsonOf(view.style)}::text::jsonb)
        ON CONFLICT (workspace_id, slug) DO NOTHING RETURNING ${COLUMNS}`,
    );
    if (!made) throw new ViewSlugTakenError(view.slug);
    return made;
  }

  async update(id: string, view: NewView): Promise<View | null> {
    const identifier = requireIdentifier('id', id);
    return this.database.transaction(async (queries) => {
      const [taken] = await queries.query(
        z.object({ id: z.string() }),
        Prisma.sql`SELECT v.id FROM ${this.database.scope.rows('view')} AS v WHERE v.slug = ${view.slug}::text AND v.id <> ${identifier}::uuid`,
      );
      if (taken) throw new ViewSlugTakenError(view.slug);
      const [changed] = await queries.query(
        ViewRow,
        Prisma.sql`
          UPDATE view AS v SET slug = ${view.slug}::text, name = ${view.name}::text,
            filter = ${JSON.stringify(view.filter)}::text::jsonb, order_by = ${jsonOf(view.order)}::text::jsonb,
            style = ${jsonOf(view.style)}::text::jsonb, updated_at = CURRENT_TIMESTAMP
          WHERE ${queries.scope.owns('v')} AND v.id = ${identifier}::uuid RETURNING ${COLUMNS}`,
      );
      return changed ?? null;
    });
  }

  async delete(id: string): Promise<boolean> {
    return (
      (await this.database.execute(
        Prisma.sql`DELETE FROM view WHERE ${this.database.scope.owns('view')} AND id = ${requireIdentifier('id', id)}::uuid`,
      )) > 0
    );
  }
}

const jsonOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);
