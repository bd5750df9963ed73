import type { ReviewStatus } from '../generated/graphql.ts';

/** What people said of a feature before and after one verdict. */
export interface Verdict {
  readonly id: string;
  readonly before: { readonly status: ReviewStatus; readonly label: string | null; readonly note: string | null };
  readonly after: Verdict['before'];
}

/** Verdicts that can be taken back, latest last: one verdict, one step. */
export class UndoStack {
  private readonly verdicts: Verdict[] = [];

  push(verdict: Verdict): void {
    this.verdicts.push(verdict);
  }

  /** @returns null when there is nothing to take back */
  pop(): Verdict | null {
    return this.verdicts.pop() ?? null;
  }

  get size(): number {
    return this.verdicts.length;
  }
}
