import { z } from 'zod';
import { count, documented } from './documented-setting.ts';

/** Settings of files that lie elsewhere. */
export const REMOTE_SETTINGS = {
  TERRAQL_BLOBS: documented(
    z
      .string()
      .regex(
        /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^/]+)*\/?$/,
        'must be a bucket and prefix as s3://bucket/prefix',
      )
      .optional(),
    {
      description:
        'Bucket and prefix, such as `s3://bucket/prefix`, for uploads, downloads, exports and unfinished runs, shared by any number of machines; see [files in a bucket](#files-in-a-bucket).',
      otherwise: 'folder `blobs` in `TERRAQL_DATA_DIR`',
    },
  ),
  TERRAQL_BLOB_COPIES_MB: count(
    1024,
    'Disk space for local copies of files in the bucket that cannot be read by range. Copies used in the last 10 minutes are kept in any case.',
    'MiB',
  ),
  TERRAQL_MAX_TILES: count(4096, 'Most tiles of a tile service in one scene.'),
  TERRAQL_RANGE_CACHE_MB: count(64, 'Memory for recently read parts of remote files.', 'MiB'),
  TERRAQL_RANGE_REQUESTS: count(8, 'Concurrent range requests to other servers.'),
  TERRAQL_S3_ENDPOINT: documented(
    z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }).optional(),
    {
      description:
        'Server of `s3://` references. Keys come from the usual variables (`AWS_ACCESS_KEY_ID`, …) and files. S3 references are accepted when this, the region or the sources are set.',
      otherwise: 'Amazon S3',
    },
  ),
  TERRAQL_S3_PUBLIC_ENDPOINT: documented(
    z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }).optional(),
    {
      description:
        'Address of the server of `TERRAQL_BLOBS` as clients reach it, for [uploads straight to the bucket](deployment.md#uploads-straight-to-the-bucket).',
      otherwise: '`TERRAQL_S3_ENDPOINT`',
    },
  ),
  TERRAQL_S3_REGION: documented(z.string().min(1).optional(), {
    description: 'Region of the buckets.',
    otherwise: '`us-east-1`',
  }),
  TERRAQL_S3_PATH_STYLE: documented(z.enum(['on', 'off']).optional(), {
    description: 'Whether URLs name the bucket in the path instead of the host name.',
    otherwise: '`on` with `TERRAQL_S3_ENDPOINT`, otherwise `off`',
  }),
  TERRAQL_S3_ANONYMOUS: documented(z.enum(['on', 'off']).default('off'), {
    description: '`on` reads public buckets without keys.',
  }),
  TERRAQL_S3_REQUESTER_PAYS: documented(z.enum(['on', 'off']).default('off'), {
    description: '`on` accepts the cost of requester-pays buckets.',
  }),
  TERRAQL_S3_SOURCES: documented(
    z
      .string()
      .default('')
      .transform((prefixes) => prefixes.split(',').flatMap((prefix) => prefix.trim() || []))
      .pipe(
        z.array(
          z.string().regex(/^s3:\/\/[a-z0-9]/, 'must be prefixes such as s3://bucket/prefix, separated by commas'),
        ),
      ),
    {
      description:
        'Buckets and prefixes from which scenes may be read, such as `s3://bucket/prefix`, separated by commas.',
      otherwise: 'every bucket that the keys can read',
    },
  ),
};
