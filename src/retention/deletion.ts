import { InvalidCursorError } from '../database/sql/cursor.ts';
import { AppError } from '../errors.ts';

export const DELETED_KINDS = ['SCENE', 'SEGMENTATION', 'FEATURE'] as const;
export type DeletedKind = (typeof DELETED_KINDS)[number];

/** Place of a deletion in the order of commits, and when that was. */
export interface DeletionPosition {
  /** Number of the transaction, decimal. */
  readonly transaction: string;
  readonly id: number;
  readonly at: Date;
}

/** The deletion of an object. Features deleted with their segmentation have none of their own. */
export interface Deletion {
  readonly kind: DeletedKind;
  readonly id: string;
  readonly sceneId: string;
  /** Of a segmentation and of a feature. */
  readonly segmentationId: string | null;
  readonly at: Date;
  readonly position: DeletionPosition;
}

/** Deletions in the order of commits. */
export interface DeletionPage {
  readonly nodes: readonly Deletion[];
  /** Where to go on, now or later. */
  readonly cursor: string;
  /** Whether more is known already. */
  readonly hasNextPage: boolean;
}

/** Deletions of one workspace; the port that the database implements. */
export interface DeletionStore {
  /** Position behind everything that was deleted. */
  end(): Promise<DeletionPosition>;
  /**
   * Deletions behind a position or a time, in order. None is left out that becomes visible later.
   * @param limit most deletions
   */
  after(from: DeletionPosition | Date, limit: number): Promise<Deletion[]>;
}

/** What was deleted so long ago is no longer known, or a backup was restored since. */
export class DeletionsForgottenError extends AppError {
  readonly code = 'DELETIONS_FORGOTTEN';
  constructor(reason: string) {
    super(`${reason}; read everything afresh, and continue from the cursor that deletedSince gives without arguments.`);
  }
}

/** A position as clients keep it. */
export const deletionCursor = ({ transaction, id, at }: DeletionPosition): string =>
  `${transaction}-${id}-${at.getTime()}`;

/** @throws {InvalidCursorError} */
export function deletionPosition(cursor: string): DeletionPosition {
  const [, transaction, id, at] = /^(\d{1,18})-(\d{1,15})-(\d{1,15})$/.exec(cursor) ?? [];
  if (transaction === undefined || id === undefined || at === undefined) throw new InvalidCursorError(cursor);
  const time = new Date(Number(at));
  if (Number.isNaN(time.getTime())) throw new InvalidCursorError(cursor);
  return { transaction, id: Number(id), at: time };
}
