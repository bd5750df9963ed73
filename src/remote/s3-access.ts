import type { S3Access } from './remote-files.ts';
import { parseS3 } from './s3-address.ts';
import { openS3, type OpenS3, type S3Settings } from './s3-client.ts';

/** The settings of S3, as the environment names them. */
export interface S3Environment {
  readonly TERRAQL_S3_ENDPOINT?: string | undefined;
  readonly TERRAQL_S3_REGION?: string | undefined;
  readonly TERRAQL_S3_PATH_STYLE?: 'on' | 'off' | undefined;
  readonly TERRAQL_S3_ANONYMOUS: 'on' | 'off';
  readonly TERRAQL_S3_REQUESTER_PAYS: 'on' | 'off';
  readonly TERRAQL_S3_SOURCES: readonly string[];
  readonly TERRAQL_BLOBS?: string | undefined;
}

/** How S3 is reached by these settings. */
export function s3SettingsOf(environment: S3Environment): S3Settings {
  const endpoint = environment.TERRAQL_S3_ENDPOINT;
  return {
    endpoint,
    region: environment.TERRAQL_S3_REGION ?? 'us-east-1',
    pathStyle: (environment.TERRAQL_S3_PATH_STYLE ?? (endpoint === undefined ? 'off' : 'on')) === 'on',
    anonymous: environment.TERRAQL_S3_ANONYMOUS === 'on',
  };
}

/** Access for references; null when nothing of S3 is configured. */
export function s3AccessOf(environment: S3Environment): S3Access | null {
  const { TERRAQL_S3_ENDPOINT, TERRAQL_S3_REGION, TERRAQL_S3_SOURCES, TERRAQL_BLOBS } = environment;
  const isSet = TERRAQL_S3_ENDPOINT !== undefined || TERRAQL_S3_REGION !== undefined || TERRAQL_S3_SOURCES.length > 0;
  if (!isSet) return null;
  const settings = s3SettingsOf(environment);
  let opened: Promise<OpenS3> | null = null;
  return {
    open: () => (opened ??= openS3(settings)),
    requesterPays: environment.TERRAQL_S3_REQUESTER_PAYS === 'on',
    sources: TERRAQL_S3_SOURCES.map(parseS3),
    own: TERRAQL_BLOBS === undefined ? null : parseS3(TERRAQL_BLOBS),
  };
}
