import { type ReactNode, useState } from 'react';
import { ServiceError } from '../graphql.ts';
import { queryClient, useViewer } from '../queries.ts';
import { roles, texts } from '../texts.en.ts';
import { credential } from './credential.ts';

/** Asks for a key if the service requires one; shows the page after sign-in. */
export function SignIn({ children }: { readonly children: ReactNode }): ReactNode {
  const viewer = useViewer();
  const [key, setKey] = useState('');
  const { error } = viewer;
  if (!(error instanceof ServiceError && error.code === 'UNAUTHENTICATED')) return children;
  return (
    <main className="sign-in">
      <h1>{texts.title}</h1>
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
  if (!data || credential.get() === null) return null;
  return (
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
  );
}
