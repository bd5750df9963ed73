import { createClient } from 'graphql-ws';
import type { RunFieldsFragment } from './generated/graphql.ts';
import { RUN, RUN_PROGRESS } from './documents.ts';
import { address, ask } from './graphql.ts';
import { credential } from './share/credential.ts';

const client = createClient({
  url: () => address('/graphql').replace(/^http/, 'ws'),
  connectionParams: () => credential.headers(),
  lazy: true,
  retryAttempts: 2,
});
const POLL_MS = 3000;
const ENDED: ReadonlySet<RunFieldsFragment['state']> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

export const hasEnded = ({ state }: Pick<RunFieldsFragment, 'state'>): boolean => ENDED.has(state);

/**
 * Follows a run to its end: by subscription, which begins with the present state, and by asking every three seconds where
 * the socket fails.
 * @returns stops following
 */
export function follow(id: string, onState: (run: RunFieldsFragment) => void): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const poll = (): void => {
    if (stopped) return;
    void ask(RUN, { id })
      .then(({ segmentation }) => {
        if (stopped || !segmentation) return;
        onState(segmentation);
        if (!hasEnded(segmentation)) timer = setTimeout(poll, POLL_MS);
      })
      .catch(() => {
        if (!stopped) timer = setTimeout(poll, POLL_MS);
      });
  };
  const unsubscribe = client.subscribe<{ segmentationProgress: RunFieldsFragment }>(
    { query: RUN_PROGRESS.toString(), variables: { id } },
    {
      next: ({ data }) => {
        if (data && !stopped) onState(data.segmentationProgress);
      },
      error: poll,
      complete: () => undefined,
    },
  );
  return () => {
    stopped = true;
    clearTimeout(timer);
    unsubscribe();
  };
}
