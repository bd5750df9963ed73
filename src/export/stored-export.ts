import type { ExportRequest } from './export-request.ts';

export const EXPORT_STATES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
/** QUEUED and RUNNING are unfinished; the other three are final. */
export type ExportState = (typeof EXPORT_STATES)[number];

/** A file that is being made, or was made, and is kept until it expires. */
export interface StoredExport {
  readonly id: string;
  readonly workspace: string;
  /** Name of its {@link FileFormat}. */
  readonly format: string;
  readonly state: ExportState;
  readonly featuresDone: number;
  /** Null until the features are chosen. */
  readonly featuresTotal: number | null;
  /** Matching features without longitude and latitude, which are not in the file. */
  readonly leftOut: number;
  /** Null until SUCCEEDED. */
  readonly sizeBytes: number | null;
  /** Lower-case hexadecimal; null until SUCCEEDED. */
  readonly sha256: string | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly expiresAt: Date;
}

/** An export that a worker took. */
export interface ClaimedExport extends StoredExport {
  readonly attempt: number;
  readonly request: ExportRequest;
}

/** The exports of one workspace. */
export interface StoredExports {
  create(format: string, request: ExportRequest, expiresAt: Date): Promise<StoredExport>;
  byId(id: string): Promise<StoredExport | null>;
  /** Newest first. */
  list(limit: number): Promise<StoredExport[]>;
  /** @returns false when it is final already */
  cancel(id: string): Promise<boolean>;
}

/** The exports of every workspace, as workers see them. */
export interface ExportQueue {
  /** The oldest that is due, or was left by a worker that stopped. */
  claim(): Promise<ClaimedExport | null>;
  /** @returns false when the attempt is no longer the latest, or the export was cancelled */
  progress(attempt: ExportAttempt, done: number, total: number): Promise<boolean>;
  succeed(
    attempt: ExportAttempt,
    file: { readonly sizeBytes: number; readonly sha256: string; readonly leftOut: number },
  ): Promise<boolean>;
  fail(attempt: ExportAttempt, failure: { readonly code: string; readonly message: string }): Promise<void>;
  /** Puts it back in the queue. */
  release(attempt: ExportAttempt): Promise<void>;
  /** Deletes the rows of files that expired. @returns their identifiers */
  dropExpired(): Promise<string[]>;
}

export type ExportAttempt = Pick<ClaimedExport, 'id' | 'attempt'>;

/** Folder of the file of an export in the blob store. */
export const blobFolderOf = (id: string): string => `exports/${id}`;
