import { AppError } from '../errors.ts';

/** An s3:// address of the wrong form, or of a bucket that is not open to references. */
export class S3AddressError extends AppError {
  readonly code = 'URL_NOT_ALLOWED';
}

/** An s3:// reference in an installation without access to S3. */
export class S3NotConfiguredError extends AppError {
  readonly code = 'S3_NOT_CONFIGURED';
  constructor(readonly url: string) {
    super(
      `${url} cannot be read because no S3 endpoint and credentials are configured; use a signed https:// URL or an upload.`,
    );
  }
}

/** An object, or a prefix of objects. */
export interface S3Address {
  readonly bucket: string;
  readonly key: string;
}

/**
 * Parses `s3://bucket/key`. The key is taken as it stands: nothing in it is decoded.
 * @throws {S3AddressError}
 */
export function parseS3(text: string): S3Address {
  const found = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text);
  if (!found)
    throw new S3AddressError(
      'An S3 address has the form s3://bucket/key, with a bucket name of 3 to 63 characters: a-z, 0-9, dots and hyphens.',
    );
  return { bucket: found[1]!, key: found[2] ?? '' };
}

/** Whether an object lies under one of the prefixes; a prefix ends at a slash. */
export function isUnderS3({ bucket, key }: S3Address, prefix: S3Address): boolean {
  const folder = prefix.key === '' || prefix.key.endsWith('/') ? prefix.key : `${prefix.key}/`;
  return bucket === prefix.bucket && key.startsWith(folder);
}
