import { AppError } from '../errors.ts';

/** The bytes behind a scene are not the ones that were registered. */
export class RemoteChangedError extends AppError {
  readonly code = 'SOURCE_CHANGED';
  /** @param what differs, such as an ETag, with both values */
  constructor(source: string, what: string) {
    super(`The file ${source} has changed since it was registered (${what}). Register it again.`);
  }
}

/** The server of an image does not answer, or not as it should, after several attempts. */
export class SourceUnavailableError extends AppError {
  readonly code = 'SOURCE_UNAVAILABLE';
  constructor(source: string, attempts: number, reason: string, options?: ErrorOptions) {
    super(`${source} could not be read after ${attempts} attempts: ${reason}`, options);
  }
}

/** The server refuses to give the bytes of an image; asking again does not help. */
export class SourceRefusedError extends AppError {
  readonly code = 'SOURCE_REFUSED';
  constructor(
    source: string,
    readonly statusCode: number,
    reason: string,
  ) {
    super(`${source} cannot be read: ${reason}`);
  }
}

/** One attempt at a range failed in a way that the next one may not. */
export class PassingRangeError extends Error {
  /** @param retryAfterS what the server asked to wait, seconds; null without a wish */
  constructor(
    message: string,
    readonly retryAfterS: number | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
