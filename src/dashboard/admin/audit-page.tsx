import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask, problemText } from '../graphql.ts';
import { texts } from '../texts.en.ts';
import { AUDIT } from './admin-documents.ts';
import { adminTexts, time } from './admin-texts.en.ts';

const ACTIONS = [
  '',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'upload',
  'segment',
  'deleteScene',
  'createApiKey',
  'revokeApiKey',
];

/** Who did what, newest first. */
export function AuditPage(): ReactNode {
  const [action, setAction] = useState('');
  const audit = useInfiniteQuery({
    queryKey: ['admin', 'audit', action],
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) =>
      (await ask(AUDIT, { filter: action === '' ? null : { action }, after: pageParam }, signal)).audit,
    getNextPageParam: (last) => (last?.pageInfo.hasNextPage ? last.pageInfo.endCursor : undefined),
  });
  const entries = audit.data?.pages.flatMap((page) => page?.nodes ?? []) ?? [];
  return (
    <>
      <div className="admin-form">
        <label>
          Action
          <select value={action} onChange={({ target }) => setAction(target.value)}>
            {ACTIONS.map((one) => (
              <option key={one} value={one}>
                {one === '' ? 'All' : one}
              </option>
            ))}
          </select>
        </label>
      </div>
      {audit.error && <p role="alert">{problemText(audit.error)}</p>}
      {audit.isLoading && <p>{texts.loading('entries')}</p>}
      {audit.data && entries.length === 0 && <p>{adminTexts.noAudit}</p>}
      <ul className="admin-list">
        {entries.map(({ id, at, subject, action: done, target, address, requestId }) => (
          <li key={id}>
            <strong>{done}</strong>
            <span>{subject}</span>
            <span className="quiet">
              {time(at)} · {address} · {requestId}
            </span>
            {target !== null && <code>{target}</code>}
          </li>
        ))}
      </ul>
      {audit.hasNextPage && (
        <button type="button" onClick={() => void audit.fetchNextPage()}>
          {adminTexts.more}
        </button>
      )}
    </>
  );
}
