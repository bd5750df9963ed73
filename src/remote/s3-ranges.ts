import { Readable } from 'node:stream';
import { PassingRangeError } from './range-errors.ts';
import {
  type ByteRange,
  parseContentRange,
  parseRetryAfter,
  type RangeAnswer,
  type RangeFetcher,
  strongTag,
} from './range-fetcher.ts';
import type { S3Address } from './s3-address.ts';
import type { OpenS3 } from './s3-client.ts';

/** Ranges of an object in S3. */
export class S3Ranges implements RangeFetcher {
  /** @param name for messages */
  constructor(
    private readonly s3: OpenS3,
    private readonly object: S3Address,
    private readonly requesterPays: boolean,
    readonly name = `s3://${object.bucket}/${object.key}`,
  ) {}

  async fetch(range: ByteRange, etag: string | null, signal: AbortSignal): Promise<RangeAnswer> {
    const { sdk, client } = this.s3;
    const command = new sdk.GetObjectCommand({
      Bucket: this.object.bucket,
      Key: this.object.key,
      Range: `bytes=${range.start}-${range.end - 1}`,
      ...(etag === null ? {} : { IfMatch: etag }),
      ...(this.requesterPays ? { RequestPayer: 'requester' as const } : {}),
    });
    try {
      const { ETag, ContentRange, Body, $metadata } = await client.send(command, { abortSignal: signal });
      return {
        statusCode: $metadata.httpStatusCode ?? (ContentRange === undefined ? 200 : 206),
        etag: strongTag(ETag),
        range: parseContentRange(ContentRange),
        retryAfterS: null,
        body: Body as Readable,
      };
    } catch (error) {
      return refusalOf(error);
    }
  }
}

/** What the SDK throws of an answer, as an answer. @throws {PassingRangeError} when there was none */
function refusalOf(error: unknown): RangeAnswer {
  const { $metadata, $response, message } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
    message: string;
  };
  const statusCode = $metadata?.httpStatusCode;
  if (statusCode === undefined) throw new PassingRangeError(message, null, { cause: error });
  const retryAfterS = parseRetryAfter($response?.headers?.['retry-after'], new Date());
  return { statusCode, etag: null, range: null, retryAfterS, body: Readable.from([]) };
}
