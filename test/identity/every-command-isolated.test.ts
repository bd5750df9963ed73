import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram, runCli } from '../../src/cli/program.ts';
import { Prisma } from '../../src/database/database.ts';
import { uuidV7 } from '../../src/database/sql/identifier.ts';
import { newSecret } from '../../src/identity/api-key.ts';
import { reaches, type Role, ROLES } from '../../src/identity/viewer.ts';
import { CapturedTerminal } from '../cli/captured-terminal.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { openServedApp, type ServedApp, SUBURB } from '../http/served-app.ts';
import { type Secrets, storedSecrets } from './stored-secrets.ts';

/** Commands that ask no service on behalf of somebody: they are of the machine, or ask a model alone. */
const OF_THE_MACHINE: readonly string[] = [
  'demo',
  'serve',
  'worker',
  'model-server',
  'workspaces create',
  'workspaces list',
  'evaluate',
  'redundancy',
  'migrate',
  'export-all',
  'import-all',
];
/** Least role that a command needs. */
const RULES: Readonly<Record<string, Role>> = {
  register: 'analyst',
  segment: 'analyst',
  'segment-scenes': 'analyst',
  features: 'viewer',
  adjacency: 'viewer',
  query: 'viewer',
  mcp: 'viewer',
  scenes: 'viewer',
  segmentations: 'viewer',
  'dead-letters list': 'viewer',
  'dead-letters redrive': 'analyst',
  'keys create': 'admin',
  'keys list': 'admin',
  'keys revoke': 'admin',
  models: 'viewer',
};
type Named = Readonly<Record<'scene' | 'segmentation' | 'apiKey', string>>;

function leavesOf(command: Command, words: readonly string[] = []): { name: string; command: Command }[] {
  if (command.commands.length === 0) return [{ name: words.join(' '), command }];
  return command.commands.flatMap((part) => leavesOf(part, [...words, part.name()]));
}
const COMMANDS = leavesOf(createProgram({ terminal: new CapturedTerminal(), environment: {}, exitCode: 0 }));
const ASKING = COMMANDS.filter(({ name }) => !OF_THE_MACHINE.includes(name));

let folder = '';
let test: ServedApp;
let secrets: Secrets;
const keys: Record<string, string> = {};
const NONE: Named = { scene: uuidV7(), segmentation: uuidV7(), apiKey: uuidV7() };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'terraql-command-isolation-'));
  const database = await openTestDatabase();
  await database.execute(Prisma.sql`INSERT INTO workspace (id, name) VALUES ('other', 'Other')`);
  test = await openServedApp({ TERRAQL_AUTH: 'required', TERRAQL_WORKER: 'off' }, async () => database);
  const owner = test.app.servicesFor({ workspace: 'default', subject: 'owner', role: 'admin' });
  secrets = await storedSecrets(database, owner, 'brightness');
  const { apiKeys } = test.app.servicesFor({ workspace: 'other', subject: 'stranger', role: 'admin' });
  for (const role of ROLES) keys[role] = (await apiKeys.create({ name: role, role, expiresAt: null })).secret;
  keys['owner'] = (await owner.apiKeys.create({ name: 'owner', role: 'admin', expiresAt: null })).secret;
  const gone = await apiKeys.create({ name: 'revoked', role: 'admin', expiresAt: null });
  await apiKeys.revoke(gone.key.id);
  const old = await apiKeys.create({ name: 'expired', role: 'admin', expiresAt: new Date(Date.now() + 60_000) });
  await database.execute(
    Prisma.sql`UPDATE api_key SET expires_at = '2020-01-01T00:00:00Z' WHERE id = ${old.key.id}::uuid`,
  );
  const forged = keys['admin']!.slice(0, 12) + newSecret().slice(12);
  Object.assign(keys, { revoked: gone.secret, expired: old.secret, forged });
});
afterAll(async () => {
  await test.close();
  await rm(folder, { recursive: true });
});

/** The words of a command, as it asks for identifiers; once by itself, and once with each option that takes one. */
async function wordsOf({ name, command }: (typeof COMMANDS)[number], ids: Named): Promise<string[][]> {
  const file = path.join(folder, `${ids.scene}.graphql`);
  await writeFile(file, `{ node(id: "${ids.scene}") { id } scenes { nodes { id name } } apiKeys { name } }`);
  const given: Readonly<Record<string, string>> = {
    image: SUBURB,
    scene: ids.scene,
    prompt: 'example prompt',
    files: name === 'query' ? file : '',
    segmentation: ids.segmentation,
    name: 'example name',
    id: ids.apiKey,
  };
  const values = command.registeredArguments.map((argument) => {
    const value = given[argument.name()];
    if (value === undefined) throw new Error(`what is <${argument.name()}> of ${name}? Add it to this test`);
    return value;
  });
  const needed = { 'segment-scenes': ['--all', '--no-wait'], segment: ['--no-wait'] }[name] ?? [];
  const optional = command.options.flatMap(({ long }) =>
    long === '--scene'
      ? [['--scene', ids.scene]]
      : long === '--segmentation'
        ? [['--segmentation', ids.segmentation]]
        : [],
  );
  return [[], ...optional].map((option) => [...name.split(' '), ...values, ...needed, ...option]);
}

async function cli(words: readonly string[], key: string | undefined) {
  const terminal = new CapturedTerminal();
  const environment = { TERRAQL_DATA_DIR: folder, ...(key === undefined ? {} : { TERRAQL_API_KEY: key }) };
  const exitCode = await runCli([...words, '--url', test.url], terminal, environment);
  return { exitCode, said: `${terminal.output}\n${terminal.notes.join('\n')}` };
}

function shape(said: string, ids: Named): string {
  const { scene, segmentation, apiKey } = ids;
  return [scene, segmentation, apiKey]
    .reduce((rest, id) => rest.replaceAll(id, '<given>'), said)
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<made>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/tql_[\w-]+…?/g, '<secret>');
}

describe('the commands', () => {
  it('each have a rule, or are of the machine', () => {
    const asking = COMMANDS.filter(({ command }) => command.options.some(({ long }) => long === '--url'));
    expect(asking.map(({ name }) => name)).toEqual(ASKING.map(({ name }) => name));
    expect(Object.keys(RULES).toSorted()).toEqual(ASKING.map(({ name }) => name).toSorted());
  });

  // The tools of `mcp` are operations, and it reads its standard input until the end; see the test of its own.
  const answering = ASKING.filter(({ name }) => name !== 'mcp');
  it.each(answering.map((command) => [command.name, command] as const))('terraql %s', async (name, command) => {
    const [foreign, unknown] = [await wordsOf(command, secrets.ids), await wordsOf(command, NONE)];
    for (const [index, words] of foreign.entries()) {
      const told = await cli(words, keys['admin']);
      const given = words.join(' ');
      for (const secret of secrets.texts) if (!given.includes(secret)) expect(told.said).not.toContain(secret);
      expect(told.said).not.toMatch(/needs the role/);
      if (name === 'register' || name.startsWith('keys')) continue;
      expect(shape(told.said, secrets.ids)).toBe(shape((await cli(unknown[index]!, keys['admin'])).said, NONE));
    }
    for (const credential of ['none', 'forged', 'expired', 'revoked']) {
      const refused = await cli(foreign[0]!, keys[credential]);
      expect([credential, refused.exitCode]).toEqual([credential, 1]);
      expect(refused.said).toMatch(/A credential is required|The API key/);
    }
    for (const role of ROLES) {
      if (name === 'query') continue; // what its document asks for has rules of its own
      const { said } = await cli(foreign[0]!, keys[role]);
      expect([role, /needs the role/.test(said)]).toEqual([role, !reaches(role, RULES[name]!)]);
    }
  });

  it('tell the owner more', async () => {
    const said: string[] = [];
    for (const name of ['scenes', 'segmentations', 'features', 'query', 'keys list']) {
      const [words] = await wordsOf(
        COMMANDS.find((command) => command.name === name)!,
        secrets.ids,
      );
      said.push((await cli(words!, keys['owner'])).said);
    }
    for (const secret of ['Zauberwald', 'hidden meadow', 'watchtower']) expect(said.join('\n')).toContain(secret);
  });
});
