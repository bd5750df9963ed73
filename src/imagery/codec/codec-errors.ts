import { AppError } from '../../errors.ts';

/** The file is truncated or inconsistent. */
export class CorruptImageError extends AppError {
  readonly code = 'IMAGE_CORRUPT';
  constructor(
    readonly what: string,
    options?: ErrorOptions,
  ) {
    super(`The image file is damaged: ${what}.`, options);
  }
}

/** A block decodes to more bytes than its size in the header allows. */
export class BlockOverflowError extends CorruptImageError {
  constructor(readonly maxBytes: number) {
    super(`a block decodes to more than its ${maxBytes} bytes`);
  }
}

/** The file is valid, but uses a feature that is not supported. */
export class UnsupportedImageError extends AppError {
  readonly code = 'IMAGE_UNSUPPORTED';
  constructor(readonly what: string) {
    super(`The image uses ${what}, which is not supported.`);
  }
}
