import { type ReactNode, useEffect, useState } from 'react';
import { CANCEL, RETRY } from '../documents.ts';
import type { RunFieldsFragment } from '../generated/graphql.ts';
import { ask } from '../graphql.ts';
import { follow, hasEnded } from '../live.ts';
import { refresh } from '../queries.ts';
import { empties, states, texts } from '../texts.en.ts';

interface Properties {
  readonly run: RunFieldsFragment;
  readonly onShow: (run: RunFieldsFragment) => void;
  /** Asks once more, with what may help. */
  readonly onAgain: (run: RunFieldsFragment) => void;
}

/** One question: what it waits for, how far it is, what it found or why it found nothing. */
export function RunCard({ run: given, onShow, onAgain }: Properties): ReactNode {
  const [run, setRun] = useState(given);
  useEffect(() => setRun(given), [given]);
  useEffect(() => {
    if (hasEnded(given)) return undefined;
    return follow(given.id, (state) => {
      setRun(state);
      if (hasEnded(state)) void refresh();
    });
  }, [given]);
  const { progress } = run;
  return (
    <li className="card">
      <h3>{run.prompt}</h3>
      <p className="facts">{run.scene.name}</p>
      <p role="status">{told(run)}</p>
      {run.state === 'RUNNING' && <progress max={1} value={progress.fraction} aria-label={run.prompt} />}
      <p className="actions">
        {!hasEnded(run) && (
          <button type="button" onClick={() => void ask(CANCEL, { id: run.id }).then(refresh)}>
            Cancel
          </button>
        )}
        {run.state === 'FAILED' && (
          <button type="button" onClick={() => void ask(RETRY, { ids: [run.id] }).then(refresh)}>
            {texts.tryAgain}
          </button>
        )}
        {run.state === 'CANCELLED' && (
          <button type="button" onClick={() => onAgain(run)}>
            Ask again
          </button>
        )}
        {run.targetFound && (
          <button type="button" onClick={() => onShow(run)}>
            Show
          </button>
        )}
        {mayHelp(run) && (
          <button type="button" onClick={() => onAgain(run)}>
            {empties[run.emptyReason!].action}
          </button>
        )}
      </p>
    </li>
  );
}

/** Threshold of a second try, where the model was nowhere sure. */
export const LOWER_THRESHOLD = 0.3;

/** Whether asking otherwise may find something. */
function mayHelp({ emptyReason, threshold }: RunFieldsFragment): boolean {
  if (!emptyReason || empties[emptyReason].action === null) return false;
  return emptyReason !== 'NO_PIXEL_ABOVE_THRESHOLD' || threshold > LOWER_THRESHOLD;
}

function told(run: RunFieldsFragment): string {
  const { state, progress, failure, emptyReason } = run;
  if (state === 'SUCCEEDED' && emptyReason)
    return `${texts.nothing(run.prompt)} ${empties[emptyReason].reason(run.threshold)}`;
  if (state === 'SUCCEEDED') return texts.found(run.featureCount, run.areaM2 ?? null);
  if (state === 'FAILED') return texts.stopped(failure?.message ?? '');
  if (state === 'QUEUED' && failure) return texts.modelAway;
  if (state !== 'RUNNING') return states[state];
  if (progress.phase === 'tracing' || progress.phase === 'storing') return texts.outlines;
  return texts.looking(progress.windowsDone, progress.windowsTotal, progress.etaS ?? null);
}
