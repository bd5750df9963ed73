import type * as S3Sdk from '@aws-sdk/client-s3';

/** How S3 is reached. */
export interface S3Settings {
  /** Undefined: Amazon's, in the region. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Requests without a signature, for public buckets. */
  readonly anonymous: boolean;
  /** Buckets in the path of the address instead of its host name. */
  readonly pathStyle: boolean;
  /** How often a request is sent before it fails; 1 unless given, for callers that repeat themselves. */
  readonly attempts?: number;
}

/** A client and the operations that it takes; loaded when S3 is first used, for they take long to load. */
export interface OpenS3 {
  readonly sdk: typeof S3Sdk;
  readonly client: S3Sdk.S3Client;
}

/** Longest pause between bytes, milliseconds. */
const IDLE_MS = 30_000;

/**
 * A client of Amazon S3 or a server that speaks its protocol. Keys come from the usual chain of the SDK: variables, shared
 * files, web identity, container and machine.
 */
export async function openS3(settings: S3Settings): Promise<OpenS3> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    region: settings.region,
    forcePathStyle: settings.pathStyle,
    followRegionRedirects: true,
    maxAttempts: settings.attempts ?? 1,
    // Other servers than Amazon's know the newer checksums in part.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { requestTimeout: IDLE_MS, connectionTimeout: IDLE_MS },
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(settings.anonymous ? { signer: { sign: async (request) => request }, credentials: NO_KEYS } : {}),
  });
  return { sdk, client };
}

const NO_KEYS = { accessKeyId: '', secretAccessKey: '' };
