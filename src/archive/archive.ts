import { z } from 'zod';
import { AppError } from '../errors.ts';

/** Name of the entry that ends an archive. */
export const MANIFEST = 'manifest.json';
export const FORMAT = 'terraql-archive/1';

/** What an archive says of itself, in its last entry. */
export const Manifest = z.object({
  format: z.string(),
  createdAt: z.string(),
  /** Migrations of the database that it was made of, in order. */
  migrations: z.array(z.string()),
  /** Number of rows by table. */
  rows: z.record(z.string(), z.number()),
  /** Every other entry. */
  entries: z.array(z.object({ name: z.string(), sizeBytes: z.number(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof Manifest>;

/** An archive is cut off or was changed. */
export class ArchiveDamagedError extends AppError {
  readonly code = 'ARCHIVE_DAMAGED';
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`The archive ${file} is damaged: ${reason}. Nothing was imported.`, options);
  }
}

/** An archive is of another version of the schema. */
export class ArchiveVersionError extends AppError {
  readonly code = 'ARCHIVE_VERSION';
}

/** The database that an archive should go into has something in it. */
export class ArchiveTargetError extends AppError {
  readonly code = 'ARCHIVE_TARGET_NOT_EMPTY';
  constructor(table: string) {
    super(
      `The database already has rows in ${table}; an archive is imported only into an installation that was never used.`,
    );
  }
}

/** Told how far it is. @param fraction 0 to 1 @param detail what is being written or read */
export type OnProgress = (fraction: number, detail: string) => void;
