import type { S3Address } from './s3-address.ts';
import type { OpenS3 } from './s3-client.ts';

/** Largest file that S3 takes in one request, bytes. */
const MAX_PUT_BYTES = 5 * 2 ** 30;
/** Longest time for which a signature is good, seconds. */
const MAX_SIGNED_S = 7 * 24 * 3600;
const HEADERS = { 'content-type': 'application/octet-stream', 'if-none-match': '*' };
const SIGNED_HEADERS = ['host', 'content-length', ...Object.keys(HEADERS)];

/**
 * An address to which someone without keys writes an object of exactly that size, unless there is one. Size and condition are
 * part of the signature.
 * @param ttlS seconds for which it is good, at most 7 days
 * @returns null for a size that one request cannot have
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/PresignedUrlUploadObject.html
 */
export async function presignedPut(
  { sdk, client }: OpenS3,
  { bucket, key }: S3Address,
  sizeBytes: number,
  ttlS: number,
): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> } | null> {
  if (sizeBytes > MAX_PUT_BYTES) return null;
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const command = new sdk.PutObjectCommand({
    Bucket: bucket,
    Key: key,
    ContentLength: sizeBytes,
    ContentType: HEADERS['content-type'],
    IfNoneMatch: HEADERS['if-none-match'],
  });
  const url = await getSignedUrl(client, command, {
    expiresIn: Math.min(ttlS, MAX_SIGNED_S),
    signableHeaders: new Set(SIGNED_HEADERS),
  });
  return { url, headers: HEADERS };
}
