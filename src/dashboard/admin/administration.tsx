import { type ReactNode, useRef, useState } from 'react';
import { ErrorBoundary } from '../error-boundary.tsx';
import { useViewer } from '../queries.ts';
import { adminTexts } from './admin-texts.en.ts';
import './admin.css';
import { AuditPage } from './audit-page.tsx';
import { KeysPage } from './keys-page.tsx';
import { QuotasPage } from './quotas-page.tsx';
import { UsagePage } from './usage-page.tsx';

const PAGES = { keys: KeysPage, quotas: QuotasPage, usage: UsagePage, audit: AuditPage } as const;
type PageName = keyof typeof PAGES;
const NAMES = Object.keys(PAGES) as PageName[];

/** Keys, quotas, usage and audit of the workspace, for administrators; for others nothing. */
export function Administration(): ReactNode {
  const viewer = useViewer();
  const dialog = useRef<HTMLDialogElement>(null);
  const [page, setPage] = useState<PageName | null>(null);
  if (viewer.data?.role !== 'ADMIN') return null;
  const Page = page && PAGES[page];
  return (
    <>
      <button
        type="button"
        onClick={() => {
          setPage(page ?? 'keys');
          dialog.current?.showModal();
        }}
      >
        {adminTexts.title}
      </button>
      <dialog
        ref={dialog}
        className="administration"
        aria-labelledby="administration-title"
        onClose={() => setPage(null)}
      >
        <div className="administration-head">
          <h2 id="administration-title">
            {adminTexts.title} <small>{viewer.data.workspace.name}</small>
          </h2>
          <form method="dialog">
            <button type="submit" aria-label="Close">
              ✕
            </button>
          </form>
        </div>
        <div className="administration-tabs" role="group" aria-label={adminTexts.title}>
          {NAMES.map((name) => (
            <button key={name} type="button" aria-pressed={page === name} onClick={() => setPage(name)}>
              {adminTexts.tabs[name]}
            </button>
          ))}
        </div>
        <div className="administration-page">
          <ErrorBoundary message="This page stopped.">{Page && <Page />}</ErrorBoundary>
        </div>
      </dialog>
    </>
  );
}
