import { AppError } from '../errors.ts';

/** File name or size of an upload is invalid. */
export class InvalidUploadError extends AppError {
  readonly code = 'UPLOAD_INVALID';
}

/** There is no upload with that identifier and token. */
export class UploadNotFoundError extends AppError {
  readonly code = 'UPLOAD_NOT_FOUND';
  constructor(readonly id: string) {
    super(`Upload ${id} does not exist, or the token is wrong.`);
  }
}

/** The upload URL has expired. */
export class UploadExpiredError extends AppError {
  readonly code = 'UPLOAD_EXPIRED';
  constructor(id: string, expiresAt: Date) {
    super(`Upload ${id} expired at ${expiresAt.toISOString()}.`);
  }
}

/** The upload was already received or registered. */
export class UploadUsedError extends AppError {
  readonly code = 'UPLOAD_USED';
  constructor(id: string, how: 'received' | 'registered as a scene') {
    super(`Upload ${id} has already been ${how}.`);
  }
}

/** Not all bytes of the upload have arrived. */
export class UploadIncompleteError extends AppError {
  readonly code = 'UPLOAD_INCOMPLETE';
  constructor(
    id: string,
    readonly receivedBytes: number,
    readonly sizeBytes: number,
  ) {
    super(`Upload ${id} has received ${receivedBytes} of ${sizeBytes} announced bytes.`);
  }
}

/** The bytes of an upload are not those that were announced. */
export class UploadHashError extends AppError {
  readonly code = 'UPLOAD_HASH_MISMATCH';
  constructor(id: string, sha256: string, announced: string) {
    super(`Upload ${id} has SHA-256 ${sha256}; ${announced} was announced. Send it again.`);
  }
}
