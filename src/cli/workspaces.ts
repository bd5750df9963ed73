import type { Command } from 'commander';
import { z } from 'zod';
import { type Config, readConfig } from '../config.ts';
import type { Workspace } from '../identity/workspace.ts';
import { RequestRefusedError } from './application/ask.ts';
import type { CommandContext } from './application/run-command.ts';
import { findServer, serverSecret } from '../server-file.ts';
import { textTable } from './terminal/table.ts';

const Workspaces = z.array(z.object({ id: z.string(), name: z.string() }));
const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The workspaces of the installation that the data folder or `DATABASE_URL` belongs to. */
interface Installation {
  list(): Promise<Workspace[]>;
  create(workspace: Workspace): Promise<Workspace>;
}

/** Adds `terraql workspaces`. */
export function addWorkspaces(program: Command, { terminal, environment }: CommandContext): void {
  const group = program.command('workspaces').description("create and list workspaces, on the server's machine");
  group
    .command('create')
    .description('create a workspace')
    .argument('<id>', 'lower-case letters, digits and single hyphens between them')
    .option('--name <name>', 'name for people (default: the identifier)')
    .option('--json', 'print JSON')
    .action(async (id: string, { name = id, json }: { name?: string; json?: boolean }) => {
      const made = await onInstallation(readConfig(environment), (workspaces) => workspaces.create({ id, name }));
      terminal.write(json ? `${JSON.stringify(made)}\n` : `created ${made.id}\n`);
    });
  group
    .command('list')
    .description('list the workspaces')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const all = await onInstallation(readConfig(environment), (workspaces) => workspaces.list());
      const table = (): string =>
        textTable(
          [{ heading: 'workspace' }, { heading: 'name' }],
          all.map(({ id, name }) => [id, name]),
        );
      terminal.write(json ? `${JSON.stringify(all)}\n` : table());
    });
}

/** Asks the server of the data folder where one runs, since it alone has the embedded database open; else the database. */
async function onInstallation<T>(config: Config, work: (workspaces: Installation) => Promise<T>): Promise<T> {
  const url = await findServer(config.TERRAQL_DATA_DIR);
  const secret = url === null ? null : await serverSecret(config.TERRAQL_DATA_DIR, url);
  if (url !== null && secret !== null) return work(served(`${url}/workspaces`, secret));
  const { openDatabase } = await import('../database/database.ts');
  const { WorkspaceRepository } = await import('../identity/workspace.repository.ts');
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.TERRAQL_DATA_DIR });
  try {
    return await work(new WorkspaceRepository(database.forRuns));
  } finally {
    await database.close();
  }
}

function served(url: string, secret: string): Installation {
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  const ask = async (init: RequestInit): Promise<Workspace[]> => {
    const response = await fetch(url, { ...init, headers });
    const body: unknown = await response.json();
    const refusal = Refusal.safeParse(body);
    if (refusal.success) throw new RequestRefusedError(refusal.data.error.message, refusal.data.error.code);
    return Workspaces.parse([body].flat());
  };
  return {
    list: () => ask({}),
    create: async (workspace) => (await ask({ method: 'POST', body: JSON.stringify(workspace) }))[0]!,
  };
}
