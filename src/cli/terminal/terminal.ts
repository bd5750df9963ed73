import { once } from 'node:events';
import { AppError } from '../../errors.ts';

/** Where a command writes: answers on standard output, everything else on standard error. */
export interface Terminal {
  /** Writes to standard output as is. */
  write(text: string): void;
  /** Writes pieces to standard output at the reader's pace. */
  stream(pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** Standard error, for progress bars; null when it is not a terminal. */
  readonly screen: NodeJS.WriteStream | null;
}

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
/** As shells report a process that SIGINT ended. */
export const EXIT_INTERRUPTED = 130;

/** The command line is invalid; the exit code is 2. */
export class UsageError extends AppError {
  readonly code = 'USAGE';
}

/** The user or the system stopped the command before it was done. */
export class InterruptedError extends AppError {
  readonly code = 'INTERRUPTED';
  constructor(what: string) {
    super(`Stopped before ${what}`);
  }
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  // The reader has closed the pipe, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT_OK : EXIT_FAILURE),
  );
  return {
    write: (text) => void process.stdout.write(text),
    async stream(pieces) {
      for await (const piece of pieces) {
        if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
      }
    },
    note: (line) => void process.stderr.write(`${line}\n`),
    screen: process.stderr.isTTY ? process.stderr : null,
  };
}

/** Message of an error in one line; of an error of several attempts, the message of the first. */
export function errorLine(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return errorLine(error.errors[0]);
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().replace(/\s*\n\s*/g, '; ') || 'failed without a message';
}
