import { type OpenRemoteFiles, openRemoteFiles } from './open-remote-files.ts';
import { s3AccessOf, type S3Environment } from './s3-access.ts';

/** Access to public addresses and the configured S3. */
export function configuredRemoteFiles(
  environment: S3Environment & {
    readonly TERRAQL_MAX_BYTES: number;
    readonly TERRAQL_RANGE_CACHE_MB: number;
    readonly TERRAQL_RANGE_REQUESTS: number;
  },
): OpenRemoteFiles {
  return openRemoteFiles({
    maxBytes: environment.TERRAQL_MAX_BYTES,
    cacheBytes: environment.TERRAQL_RANGE_CACHE_MB * 2 ** 20,
    requests: environment.TERRAQL_RANGE_REQUESTS,
    s3: s3AccessOf(environment),
  });
}
