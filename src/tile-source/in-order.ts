/**
 * Works on several items at once and gives the results in the order of the items.
 * @param ahead items under way at the same time
 * @param work is aborted for later items when one has failed, or the results are no longer read
 * @throws what the first failing item in that order throws
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  ahead: number,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const started: Promise<Result>[] = [];
  try {
    for (const item of items) {
      const result = work(item, either);
      result.catch(() => undefined); // thrown when its turn comes
      started.push(result);
      if (started.length >= ahead) yield await started.shift()!;
    }
    while (started.length > 0) yield await started.shift()!;
  } finally {
    ended.abort(new Error('its result is no longer wanted'));
    await Promise.allSettled(started);
  }
}
