import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { KeysQuery, Role } from '../generated/graphql.ts';
import { ask, problemText } from '../graphql.ts';
import { roles, texts } from '../texts.en.ts';
import { CREATE_KEY, KEYS, REVOKE_KEY } from './admin-documents.ts';
import { adminTexts, time } from './admin-texts.en.ts';

type Key = NonNullable<KeysQuery['apiKeys']>[number];
const ROLES: readonly Role[] = ['VIEWER', 'ANALYST', 'ADMIN'];

/** API keys: makes them, shows their secret once, and revokes them. */
export function KeysPage(): ReactNode {
  const client = useQueryClient();
  const keys = useQuery({
    queryKey: ['admin', 'keys'],
    queryFn: async ({ signal }) => (await ask(KEYS, {}, signal)).apiKeys ?? [],
  });
  const [secret, setSecret] = useState<string | null>(null);
  const [told, setTold] = useState('');
  const changed = async (change: () => Promise<void>): Promise<void> => {
    setTold('');
    try {
      await change();
      await client.invalidateQueries({ queryKey: ['admin', 'keys'] });
    } catch (error) {
      setTold(problemText(error));
    }
  };
  const create = (form: FormData): Promise<void> =>
    changed(async () => {
      const [name, role, expires] = ['name', 'role', 'expires'].map((field) => form.get(field) as string);
      const expiresAt = expires ? new Date(`${expires}T00:00:00`).toISOString() : null;
      const made = await ask(CREATE_KEY, { input: { name: name!, role: role as Role, expiresAt } });
      setSecret(made.createApiKey?.secret ?? null);
    });
  return (
    <>
      <form className="admin-form" action={(form) => void create(form)}>
        <label>
          {adminTexts.keyName}
          <input name="name" required maxLength={200} autoComplete="off" />
        </label>
        <label>
          {adminTexts.role}
          <select name="role">
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {roles[role]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {adminTexts.expires}
          <input name="expires" type="date" />
        </label>
        <button type="submit" className="primary">
          {adminTexts.create}
        </button>
      </form>
      {secret !== null && (
        <p className="secret" role="status">
          {adminTexts.secret} <code>{secret}</code>{' '}
          <button
            type="button"
            onClick={() => void navigator.clipboard.writeText(secret).then(() => setTold(adminTexts.copied))}
          >
            {adminTexts.copy}
          </button>
        </p>
      )}
      <p role="status">{keys.error ? problemText(keys.error) : keys.isLoading ? texts.loading('keys') : told}</p>
      {keys.data?.length === 0 && <p>{adminTexts.noKeys}</p>}
      <ul className="admin-list">
        {keys.data?.map((key) => (
          <li key={key.id}>
            <strong>{key.name}</strong>
            <span>
              {roles[key.role]} · <code>{key.prefix}…</code>
            </span>
            <span className="quiet">
              {stateOf(key)} · {adminTexts.lastUsed(time(key.lastUsedAt))}
            </span>
            {key.revokedAt === null && (
              <button
                type="button"
                onClick={() => void changed(async () => void (await ask(REVOKE_KEY, { id: key.id })))}
                aria-label={`${adminTexts.revoke} ${key.name}`}
              >
                {adminTexts.revoke}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function stateOf({ revokedAt, expiresAt }: Key): string {
  if (revokedAt !== null) return adminTexts.revoked(time(revokedAt));
  if (expiresAt === null) return adminTexts.accepted;
  return Date.parse(expiresAt) <= Date.now() ? adminTexts.expired(time(expiresAt)) : adminTexts.until(time(expiresAt));
}
