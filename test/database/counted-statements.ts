import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database, Prisma, WorkspaceDatabase } from '../../src/database/database.ts';

/** A database that notes the statements that a piece of work asks it for, and not what goes on beside it. */
export interface CountedDatabase extends Database {
  /** @returns with the first line of SQL of each statement, or the call of the generated client, oldest first */
  during<T>(work: () => Promise<T>): Promise<{ readonly answer: T; readonly statements: readonly string[] }>;
}

export function countedStatements(database: Database): CountedDatabase {
  const current = new AsyncLocalStorage<string[]>();
  const note = (statement: Prisma.Sql): void => void current.getStore()?.push(statement.sql.trim().split('\n')[0]!);
  const noted = <T extends object>(target: T, path: string): T =>
    new Proxy(target, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name);
        if (typeof value === 'function') {
          return (...values: unknown[]): unknown => {
            current.getStore()?.push(`${path}${String(name)}`);
            return Reflect.apply(value, of, values);
          };
        }
        return typeof value === 'object' && value !== null ? noted(value, `${path}${String(name)}.`) : value;
      },
    });
  const counted = <Counted extends WorkspaceDatabase>(of: Counted): Counted => ({
    ...of,
    query(row, statement) {
      note(statement);
      return of.query(row, statement);
    },
    execute(statement) {
      note(statement);
      return of.execute(statement);
    },
  });
  return {
    ...counted(database),
    async during(work) {
      const statements: string[] = [];
      return { answer: await current.run(statements, work), statements };
    },
    prisma: noted(database.prisma, 'prisma.'),
    forWorkspace: (workspace) => counted(database.forWorkspace(workspace)),
  };
}
