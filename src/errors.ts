/**
 * What programs may need to know of an error: of an argument that is refused `argument`, its name or path; `value`, what was
 * given or how much; `limit`, the most or least that is allowed.
 */
export type ErrorDetails = Readonly<Record<string, string | number>>;

export interface AppErrorOptions extends ErrorOptions {
  readonly details?: ErrorDetails;
}

/**
 * An error that a caller can act on. Its message names the offending value and the limit, its code is stable
 * (UPPER_SNAKE) and becomes `extensions.code` in GraphQL. Concrete classes stand beside the code that throws them.
 */
export abstract class AppError extends Error {
  abstract readonly code: string;
  /** Values that programs may need, as the limit and what is over it; they stand beside the code. */
  readonly details: ErrorDetails;

  constructor(message: string, { details = {}, ...options }: AppErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
    this.details = details;
  }
}

/** Something that the service needs is away or full for now: the same request may succeed later. */
export abstract class OutageError extends AppError {
  /** Seconds after which to retry. */
  readonly retryAfterS: number = 2;
}

/** A value of the request does not fit its type. */
export class BadInputError extends AppError {
  readonly code = 'BAD_USER_INPUT';
}
