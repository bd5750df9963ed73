import { BadInputError } from '../errors.ts';
import {
  deletionCursor,
  type DeletionPage,
  deletionPosition,
  type DeletionPosition,
  DeletionsForgottenError,
  type DeletionStore,
} from './deletion.ts';

const DAY_MS = 86_400_000;

/** Where a client begins to read; at most one of the two. */
export interface DeletedSince {
  readonly time?: Date | undefined;
  readonly after?: string | undefined;
}

/** Tells clients that keep a copy of what is stored what they should delete. */
export class DeletionService {
  /** @param keepDays how long deletions are known */
  constructor(
    private readonly store: DeletionStore,
    private readonly keepDays: number,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /**
   * What was deleted since a time or after a cursor; without either, only the cursor to begin with.
   * @param limit most deletions, 1 or more
   * @throws {BadInputError | InvalidCursorError | DeletionsForgottenError}
   */
  async since({ time, after }: DeletedSince, limit: number): Promise<DeletionPage> {
    if (time !== undefined && after !== undefined) throw new BadInputError('Give time or after, not both.');
    // Read first: what is deleted in between is behind it.
    const end = await this.store.end();
    const from = after === undefined ? time : deletionPosition(after);
    if (from === undefined) return { nodes: [], cursor: deletionCursor(end), hasNextPage: false };
    this.checkKnown(from, end);
    const found = await this.store.after(from, limit + 1);
    const nodes = found.slice(0, limit);
    const hasNextPage = found.length > limit;
    const last = nodes.at(-1)?.position;
    return { nodes, cursor: deletionCursor(further(last, hasNextPage ? null : end)), hasNextPage };
  }

  private checkKnown(from: DeletionPosition | Date, end: DeletionPosition): void {
    const time = from instanceof Date ? from : from.at;
    const oldest = new Date(this.now().getTime() - this.keepDays * DAY_MS);
    if (time < oldest) {
      throw new DeletionsForgottenError(
        `What was deleted at ${time.toISOString()} is not known any more (TERRAQL_KEEP_DELETIONS_DAYS is ${this.keepDays})`,
      );
    }
    // Transactions are counted by the server; after a restore on another they begin anew.
    if (!(from instanceof Date) && BigInt(from.transaction) > BigInt(end.transaction)) {
      throw new DeletionsForgottenError('The cursor is of another database, which this one was restored from');
    }
  }
}

/** The later of the last that was read and the end, which is behind it unless that was read after the end had moved. */
function further(last: DeletionPosition | undefined, end: DeletionPosition | null): DeletionPosition {
  if (last === undefined || end === null) return (last ?? end)!;
  return BigInt(last.transaction) >= BigInt(end.transaction) ? last : end;
}
