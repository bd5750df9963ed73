import path from 'node:path';
import { type BlobStore, FolderBlobStore } from '../blob-store.ts';
import type { RangePool } from '../remote/range-source.ts';
import { type S3Environment, s3SettingsOf } from '../remote/s3-access.ts';
import { parseS3 } from '../remote/s3-address.ts';
import { openS3 } from '../remote/s3-client.ts';
import { LocalCopies } from './local-copies.ts';
import { S3BlobStore } from './s3-blob-store.ts';

/** How often a request to the bucket is sent before it fails. */
const ATTEMPTS = 5;

/**
 * The store of the service's own files, as the settings say: a folder, or a prefix of a bucket.
 * @param pool for files that are read by range
 * @throws {ConditionalWritesError} for a server that ignores `If-None-Match`; {@link StorageUnavailableError}
 */
export async function openBlobs(
  environment: S3Environment & {
    readonly TERRAQL_DATA_DIR: string;
    readonly TERRAQL_BLOB_COPIES_MB: number;
    readonly TERRAQL_S3_PUBLIC_ENDPOINT?: string | undefined;
  },
  pool: RangePool,
): Promise<BlobStore> {
  const { TERRAQL_BLOBS, TERRAQL_DATA_DIR, TERRAQL_BLOB_COPIES_MB } = environment;
  if (TERRAQL_BLOBS === undefined) return new FolderBlobStore(path.join(TERRAQL_DATA_DIR, 'blobs'));
  const settings = { ...s3SettingsOf(environment), anonymous: false, attempts: ATTEMPTS };
  const { TERRAQL_S3_PUBLIC_ENDPOINT: endpoint } = environment;
  return S3BlobStore.open({
    at: parseS3(TERRAQL_BLOBS),
    s3: await openS3(settings),
    publicS3: endpoint === undefined ? undefined : await openS3({ ...settings, endpoint }),
    pool,
    copies: new LocalCopies(path.join(TERRAQL_DATA_DIR, 'blob-copies'), TERRAQL_BLOB_COPIES_MB * 2 ** 20),
  });
}
