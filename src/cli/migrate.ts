import type { Command } from 'commander';
import { readConfig } from '../config.ts';
import { withProgress } from './terminal/progress.ts';
import type { CommandContext } from './application/run-command.ts';

/** Adds `terraql migrate`; `serve` and `demo` migrate at their start. */
export function addMigrate(program: Command, { terminal, environment }: CommandContext): void {
  program
    .command('migrate')
    .description('apply pending migrations to the database and exit')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { DATABASE_URL, TERRAQL_DATA_DIR, TERRAQL_ROW_SECURITY } = readConfig(environment);
      const { openDatabase } = await import('../database/database.ts');
      const database = await withProgress(terminal, 'Migrating', () =>
        openDatabase({
          databaseUrl: DATABASE_URL,
          dataDir: TERRAQL_DATA_DIR,
          rowSecurity: TERRAQL_ROW_SECURITY === 'on',
        }),
      );
      const { postgresql, postgis } = database.capabilities;
      await database.close();
      const engine = DATABASE_URL === undefined ? `embedded in ${TERRAQL_DATA_DIR}` : 'DATABASE_URL';
      const answer = { upToDate: true, engine, postgresql, postgis };
      const line = `The database (${engine}; PostgreSQL ${postgresql}, PostGIS ${postgis}) is up to date.\n`;
      terminal.write(json ? `${JSON.stringify(answer)}\n` : line);
    });
}
