import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { Prisma, type Queries } from '../database/database.ts';
import { InvalidWorkspaceError, type Workspace, WorkspaceTakenError } from './workspace.ts';

const WorkspaceRow = z.object({ id: z.string(), name: z.string() }) satisfies z.ZodType<Workspace>;
const KEPT_MS = 15_000;
const MOST_KEPT = 10_000;

/** Workspaces, in the table `workspace`. */
export class WorkspaceRepository {
  private readonly kept = new LRUCache<string, Workspace>({ max: MOST_KEPT, ttl: KEPT_MS });

  constructor(private readonly queries: Pick<Queries, 'query'>) {}

  list(): Promise<Workspace[]> {
    return this.queries.query(WorkspaceRow, Prisma.sql`SELECT id, name FROM workspace ORDER BY id`);
  }

  /** As it was in the last seconds; null when there is none. */
  async find(id: string): Promise<Workspace | null> {
    const known = this.kept.get(id);
    if (known) return known;
    const [found] = await this.queries.query(
      WorkspaceRow,
      Prisma.sql`SELECT id, name FROM workspace WHERE id = ${id}::text`,
    );
    if (found) this.kept.set(id, found);
    return found ?? null;
  }

  /** @throws {InvalidWorkspaceError} {@link WorkspaceTakenError} */
  async create({ id, name }: Workspace): Promise<Workspace> {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id) || id.length > 63) {
      throw new InvalidWorkspaceError(
        `Workspace ${JSON.stringify(id)} is not allowed; use at most 63 lower-case letters and digits, with single hyphens between them.`,
      );
    }
    if (name.trim() === '' || name.length > 200) {
      throw new InvalidWorkspaceError(`The name of a workspace must have 1 to 200 characters; it has ${name.length}.`);
    }
    const [made] = await this.queries.query(
      WorkspaceRow,
      Prisma.sql`
        INSERT INTO workspace (id, name) VALUES (${id}::text, ${name}::text)
        ON CONFLICT (id) DO NOTHING RETURNING id, name`,
    );
    if (!made) throw new WorkspaceTakenError(id);
    return made;
  }
}
