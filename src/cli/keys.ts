import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { ROLES } from '../identity/viewer.ts';
import { type CommandContext, withService } from './application/run-command.ts';
import { choice, type ServiceOptions, withServiceOptions } from './terminal/options.ts';
import { textTable } from './terminal/table.ts';

const FIELDS = 'id name prefix role createdAt expiresAt lastUsedAt revokedAt';
const CREATE = `mutation CreateKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret key { ${FIELDS} } } }`;
const LIST = `query Keys { apiKeys { ${FIELDS} } }`;
const REVOKE = `mutation RevokeKey($id: ID!) { revokeApiKey(id: $id) { ${FIELDS} } }`;

const Key = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  role: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
});
type Key = z.infer<typeof Key>;

interface CreateOptions extends ServiceOptions {
  readonly role: string;
  readonly expiresAt?: string;
}

/** Adds `terraql keys`. */
export function addKeys(program: Command, context: CommandContext): void {
  const group = program
    .command('keys')
    .description('create, list and revoke API keys of the workspace TERRAQL_WORKSPACE');
  const create = group
    .command('create')
    .description('create an API key and print its secret, which is shown only once')
    .argument('<name>', 'purpose of the key')
    .addOption(
      choice(
        '--role <role>',
        'role of the key',
        ROLES.map((role) => role.toUpperCase()),
      ).default('VIEWER'),
    )
    .option('--expires-at <time>', 'when it expires, ISO 8601 (default: never)', parseInstant);
  withServiceOptions(create).action((name: string, { role, expiresAt, ...options }: CreateOptions) =>
    withService(context, options, async ({ service, terminal }) => {
      const answer = z.object({ createApiKey: z.object({ secret: z.string(), key: Key }) });
      const { createApiKey: made } = await service.ask(answer, CREATE, { input: { name, role, expiresAt } });
      if (options.json) terminal.write(`${JSON.stringify({ ...made.key, secret: made.secret })}\n`);
      else {
        terminal.note(`Key ${made.key.id} (${made.key.role.toLowerCase()}). Its secret is shown only once:`);
        terminal.write(`${made.secret}\n`);
      }
    }),
  );
  const list = group.command('list').description('list the keys, newest first');
  withServiceOptions(list).action((options: ServiceOptions) =>
    withService(context, options, async ({ service, terminal }) => {
      const { apiKeys } = await service.ask(z.object({ apiKeys: z.array(Key) }), LIST, {});
      terminal.write(options.json ? `${JSON.stringify(apiKeys)}\n` : keysTable(apiKeys));
    }),
  );
  const revoke = group
    .command('revoke')
    .description('revoke a key; it is refused within a minute')
    .argument('<id>', 'identifier, as printed by `keys list`');
  withServiceOptions(revoke).action((id: string, options: ServiceOptions) =>
    withService(context, options, async ({ service, terminal }) => {
      const { revokeApiKey: key } = await service.ask(z.object({ revokeApiKey: Key }), REVOKE, { id });
      terminal.write(options.json ? `${JSON.stringify(key)}\n` : `revoked ${key.name} (${key.prefix}…)\n`);
    }),
  );
}

function parseInstant(text: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new InvalidArgumentError('It must be a date or an instant, such as 2027-01-31T12:00:00Z.');
  return new Date(time).toISOString();
}

function keysTable(keys: readonly Key[]): string {
  return textTable(
    [
      { heading: 'key' },
      { heading: 'name' },
      { heading: 'begins with' },
      { heading: 'role' },
      { heading: 'state' },
      { heading: 'last used' },
    ],
    keys.map((key) => [key.id, key.name, key.prefix, key.role.toLowerCase(), stateOf(key), key.lastUsedAt ?? 'never']),
  );
}

function stateOf({ revokedAt, expiresAt }: Key): string {
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  if (expiresAt === null) return 'accepted';
  return Date.parse(expiresAt) <= Date.now() ? `expired ${expiresAt}` : `until ${expiresAt}`;
}
