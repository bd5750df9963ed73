import type { ApolloServer } from '@apollo/server';
import type { BlobStore } from '../blob-store.ts';
import type { Config } from '../config.ts';
import type { RequestContext } from '../graphql/context.ts';
import type { FeatureRequestReader, SceneFilterReader } from '../graphql/feature-request.ts';
import type { SegmentRequestReader } from '../graphql/segment-request.ts';
import type { Subscriptions } from '../graphql/server/subscriptions.ts';
import type { Authenticator } from '../identity/authenticator.ts';
import type { WorkspaceRepository } from '../identity/workspace.repository.ts';
import type { Refusals } from '../identity/refusals.ts';
import type { RateLimits } from '../identity/rate-limits.ts';
import type { UsageMeter } from '../identity/usage.ts';
import type { Links, SignIn } from '../identity/open-identity.ts';
import type { Viewer } from '../identity/viewer.ts';
import type { Logger } from '../logging.ts';
import type { ServicesFor } from '../services.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** The running service, as far as HTTP serves it. */
export interface HttpService {
  readonly config: Config;
  readonly logger: Logger;
  /** Large files by key. */
  readonly blobs: Pick<BlobStore, 'open' | 'stream'>;
  readonly graphql: ApolloServer<RequestContext>;
  readonly subscriptions: Subscriptions;
  /** The schema as text. */
  readonly schemaText: string;
  readonly authenticator: Pick<Authenticator, 'viewerOf' | 'isRequired'>;
  /** @param baseUrl as the client reaches the service, without a slash at the end */
  linksFor(viewer: Viewer, baseUrl: string): Links;
  /** How people sign in to the dashboard; null if only API keys are accepted. */
  signIn(): Promise<SignIn | null>;
  readonly workspaces: Pick<WorkspaceRepository, 'list' | 'create'>;
  readonly rates: Pick<RateLimits, 'take'>;
  /** Records attempts that were refused. */
  readonly refusals: Pick<Refusals, 'forbidden'>;
  /** Counts what workspaces use up. */
  readonly usage: Pick<UsageMeter, 'add'>;
  readonly servicesFor: ServicesFor;
  readonly readFeatureRequest: FeatureRequestReader;
  readonly readSceneFilter: SceneFilterReader;
  readonly readSegmentRequest: SegmentRequestReader;
  /** @param baseUrl as the client reaches the service, without a slash at the end */
  contextFor(viewer: Viewer, baseUrl: string): RequestContext;
  /** What this process measures of itself. */
  readonly metrics: Metrics;
  /** Whether the database answers and the default model is loaded. */
  readiness(): Promise<{ readonly database: boolean; readonly model: boolean }>;
}
