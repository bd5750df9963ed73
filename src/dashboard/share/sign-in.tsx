import { type ReactNode, useState } from 'react';
import { Administration } from '../admin/administration.tsx';
import { ServiceError } from '../graphql.ts';
import { queryClient, useViewer } from '../queries.ts';
import { roles, texts } from '../texts.en.ts';
import { useSettings } from '../settings.ts';
import { credential } from './credential.ts';
import { beginSignIn } from './openid.ts';

/** Asks for a key if the service requires one; shows the page after sign-in. */
export function SignIn({
  problem,
  children,
}: {
  /** Why signing in at the provider failed. */
  readonly problem: string | null;
  readonly children: ReactNode;
}): ReactNode {
  const viewer = useViewer();
  const settings = useSettings();
  const [key, setKey] = useState('');
  const openid = settings.data?.signIn ?? null;
  const { error } = viewer;
  if (!(error instanceof ServiceError && error.code === 'UNAUTHENTICATED')) return children;
  return (
    <main className="sign-in">
      <h1>{texts.title}</h1>
      {openid && (
        <button type="button" className="primary" onClick={() => void beginSignIn(openid)}>
          {texts.signInWith(new URL(openid.issuer).host)}
        </button>
      )}
      {problem !== null && credential.get() === null && <p role="alert">{problem}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          credential.set(key.trim());
          setKey('');
          void queryClient.resetQueries();
        }}
      >
        <label>
          {texts.apiKey}
          <input
            type="password"
            name="key"
            autoComplete="off"
            spellCheck={false}
            required
            value={key}
            onChange={({ target }) => setKey(target.value)}
          />
        </label>
        <button type="submit">{texts.signInButton}</button>
        {credential.get() !== null && <p role="alert">{error.message}</p>}
      </form>
    </main>
  );
}

/** Workspace, role and sign-out, after sign-in. */
export function WhoAsks(): ReactNode {
  const { data } = useViewer();
  if (!data) return null;
  if (credential.get() === null) return <Administration />;
  return (
    <>
      <Administration />
      <span className="who">
        {data.workspace.name} · {roles[data.role]}{' '}
        <button
          type="button"
          onClick={() => {
            credential.clear();
            // Nothing of the workspace stays in the page.
            location.reload();
          }}
        >
          {texts.signOut}
        </button>
      </span>
    </>
  );
}
