import type { PGlite } from '@electric-sql/pglite';
import type { EmbeddedClient } from '../../src/database/engine-client.ts';
import { servingSql } from '../../src/database/row-security.ts';

/** An engine in this thread, for whoever asks in turn: its one connection is set for another between two statements. */
export function inThisThread(pglite: PGlite): EmbeddedClient {
  let current: string | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(served: string | null, work: () => Promise<T>): Promise<T> => {
    const answer = turn.then(async () => {
      if (served !== current) await pglite.query(...servingSql(served));
      current = served;
      return work();
    });
    turn = answer.catch(() => undefined);
    return answer;
  };
  const servingOf = (served: string | null): Pick<EmbeddedClient, 'query' | 'transaction'> => ({
    query: (...asked) => inTurn(served, () => pglite.query(...asked)),
    transaction: (work) => inTurn(served, () => pglite.transaction(work)),
  });
  return {
    ...servingOf(null),
    serving: servingOf,
    exec: (...asked) => inTurn(null, () => pglite.exec(...asked)),
    listen: (...asked) => pglite.listen(...asked),
    close: () => pglite.close(),
  };
}
