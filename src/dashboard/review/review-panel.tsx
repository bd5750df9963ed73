import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useRef, useState } from 'react';
import { changeAddress, useAddress } from '../address-store.ts';
import { FEATURE, FEATURES, REVIEW } from '../feature-documents.ts';
import { filterKey } from '../filter.ts';
import type { FeatureRowFragment, ReviewStatus } from '../generated/graphql.ts';
import { ask, problemText, ServiceError } from '../graphql.ts';
import { refresh, useFeature, useFilter } from '../queries.ts';
import { useShortcuts } from '../shortcuts.ts';
import { count, texts } from '../texts.en.ts';
import { LEAST_CERTAIN, neighbourInQueue, toReview } from './review-queue.ts';
import { UndoStack, type Verdict } from './undo.ts';

interface Properties {
  /** Shows a verdict on the map before tiles have it. */
  readonly onReviewed: (id: string, status: ReviewStatus) => void;
  readonly onZoom: (feature: FeatureRowFragment) => void;
}

type Said = Verdict['before'];
interface Problem {
  readonly message: string;
  /** What somebody said meanwhile, and how to say the other thing nevertheless; null for any other problem. */
  readonly conflict: { readonly status: ReviewStatus; readonly force: () => void } | null;
}

const NOTHING_SAID: Said = { status: 'UNREVIEWED', label: null, note: null };

/** Goes through the features that match, least certain first; each verdict is one key and can be taken back. */
export function ReviewPanel({ onReviewed, onZoom }: Properties): ReactNode {
  const filter = useFilter();
  const { feature: selected } = useAddress();
  const undo = useRef(new UndoStack());
  const [done, setDone] = useState({ accepted: 0, rejected: 0 });
  const [verdict, setVerdict] = useState<ReviewStatus | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const label = useRef<HTMLInputElement>(null);
  const note = useRef<HTMLInputElement>(null);
  const queue = useQuery({
    queryKey: ['queue', filterKey(filter)],
    staleTime: Infinity,
    queryFn: async ({ signal }) =>
      (await ask(FEATURES, { filter: toReview(filter), orderBy: LEAST_CERTAIN, after: null }, signal)).features,
  });
  const current = useFeature(selected).data ?? null;
  const ids = queue.data?.nodes.map(({ id }) => id) ?? [];

  const go = useCallback(
    (step: 1 | -1) => {
      const next = neighbourInQueue(ids, selected, step);
      if (next !== null) changeAddress({ feature: next });
    },
    [ids, selected],
  );
  const put = async (id: string, said: Said, unchangedSince: string | null): Promise<boolean> => {
    try {
      await ask(REVIEW, { ids: [id], ...said, unchangedSince });
      setProblem(null);
      onReviewed(id, said.status);
      return true;
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'REVIEW_CHANGED') {
        const { feature } = await ask(FEATURE, { id });
        const { by, status } = feature?.review ?? { by: null, status: 'UNREVIEWED' as const };
        setProblem({
          message: texts.conflict(by ?? texts.somebody, status),
          conflict: { status: said.status, force: () => void put(id, said, null) },
        });
        await refresh();
      } else {
        setProblem({ message: problemText(error), conflict: null });
      }
      return false;
    }
  };
  // One after another: a verdict that is on its way can be taken back.
  const busy = useRef<Promise<void>>(Promise.resolve());
  const inTurn = (work: () => Promise<void>): void => {
    busy.current = busy.current.then(work);
  };
  const give = async (status: ReviewStatus): Promise<void> => {
    if (!current) return;
    const { review } = current;
    const before: Said = review
      ? { status: review.status, label: review.label ?? null, note: review.note ?? null }
      : NOTHING_SAID;
    const after: Said = {
      status,
      label: label.current?.value || before.label,
      note: note.current?.value || before.note,
    };
    if (!(await put(current.id, after, review?.at ?? new Date(0).toISOString()))) return;
    undo.current.push({ id: current.id, before, after });
    setVerdict(status);
    if (status === 'ACCEPTED') setDone((was) => ({ ...was, accepted: was.accepted + 1 }));
    if (status === 'REJECTED') setDone((was) => ({ ...was, rejected: was.rejected + 1 }));
    if (label.current) label.current.value = '';
    if (note.current) note.current.value = '';
    go(1);
  };
  const takeBack = async (): Promise<void> => {
    const last = undo.current.pop();
    setVerdict(null);
    if (!last) return;
    await put(last.id, last.before, null);
    changeAddress({ feature: last.id });
    await refresh();
  };
  useShortcuts({
    j: () => go(1),
    k: () => go(-1),
    a: () => inTurn(() => give('ACCEPTED')),
    r: () => inTurn(() => give('REJECTED')),
    u: () => inTurn(() => give('UNREVIEWED')),
    z: () => inTurn(takeBack),
    l: () => label.current?.focus(),
    n: () => note.current?.focus(),
    Enter: () => current && onZoom(current),
  });

  const total = queue.data?.totalCount ?? 0;
  const left = Math.max(0, total - done.accepted - done.rejected);
  return (
    <section aria-label="Review">
      <p role="status">
        {queue.data &&
          (left > 0 ? texts.review(left) : texts.reviewed(done.accepted + done.rejected, done.accepted, done.rejected))}
      </p>
      <p className="actions">
        <button type="button" onClick={() => go(-1)}>
          Previous
        </button>
        <button type="button" onClick={() => go(1)}>
          Next
        </button>
        <button type="button" className="primary" disabled={!current} onClick={() => inTurn(() => give('ACCEPTED'))}>
          Accept
        </button>
        <button type="button" disabled={!current} onClick={() => inTurn(() => give('REJECTED'))}>
          Reject
        </button>
        <button type="button" disabled={!current} onClick={() => inTurn(() => give('UNREVIEWED'))}>
          Clear
        </button>
      </p>
      <p className="said" role="status">
        {verdict && texts.verdicts[verdict]}{' '}
        {(verdict || undo.current.size > 0) && (
          <button type="button" onClick={() => inTurn(takeBack)}>
            {texts.undo}
          </button>
        )}
      </p>
      <label>
        Label
        <input ref={label} maxLength={200} placeholder={current?.review?.label ?? ''} />
      </label>
      <label>
        Note
        <input ref={note} maxLength={2000} placeholder={current?.review?.note ?? ''} />
      </label>
      {problem && (
        <p role="alert" className="problem">
          {problem.message}{' '}
          {problem.conflict && (
            <>
              <button type="button" onClick={() => setProblem(null)}>
                {texts.keep}
              </button>{' '}
              <button type="button" onClick={problem.conflict.force}>
                {texts.anyway[problem.conflict.status]}
              </button>
            </>
          )}
        </p>
      )}
      <p className="facts">
        {count(done.accepted)} accepted, {count(done.rejected)} rejected
      </p>
    </section>
  );
}
