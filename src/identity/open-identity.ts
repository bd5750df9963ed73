import { type Config, ConfigError } from '../config.ts';
import type { Queries } from '../database/database.ts';
import type { Logger } from '../logging.ts';
import { KeyLookupRepository } from './api-key.repository.ts';
import { Authenticator } from './authenticator.ts';
import { KeyRing } from './key-ring.ts';
import { LinkKeyRepository } from './link-key.repository.ts';
import { type LinkMethod, LinkSigner } from './link-signer.ts';
import { MachineToken } from './machine-token.ts';
import { AuditRepository, removeOldRecords } from './audit.repository.ts';
import { Refusals } from './refusals.ts';
import type { QuotaLookup, Quotas } from './quota.ts';
import { KeptQuotas } from './quota.repository.ts';
import { RateLimits } from './rate-limits.ts';
import { UsageMeter } from './usage.ts';
import { addUsage } from './usage.repository.ts';
import { WorkspaceRepository } from './workspace.repository.ts';
import { TokenVerifier } from './token-verifier.ts';
import type { Viewer } from './viewer.ts';

/** How people sign in with the code flow and PKCE, as the dashboard needs it. */
export interface SignIn {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly scope: string;
  /** Of the tokens that the service accepts. */
  readonly audience: string;
}

/** Makes links into this service as the client reaches it, signed where a login is required. */
export interface Links {
  /**
   * @param path begins with a slash; may have `{z}`, `{x}` and `{y}` to fill in
   * @param method by which clients use the link
   */
  absolute(path: string, method?: LinkMethod): string;
}

/** Determines the viewer, on behalf of every outlet. */
export interface Identity {
  readonly authenticator: Authenticator;
  readonly keys: KeyRing;
  readonly workspaces: WorkspaceRepository;
  /** What workspaces may use up by the minute. */
  readonly rates: RateLimits;
  readonly quotas: QuotaLookup;
  /** Records attempts that were refused. */
  readonly refusals: Refusals;
  /** Counts what workspaces use up. */
  readonly usage: UsageMeter;
  /** By which commands on this machine ask the service. */
  readonly machine: MachineToken;
  /** How people sign in to the dashboard at the OpenID provider; null if they cannot, or the provider does not answer. */
  signIn(): Promise<SignIn | null>;
  /** @param baseUrl as the client reaches the service, without a slash at the end */
  linksFor(viewer: Viewer, baseUrl: string): Links;
  close(): Promise<void>;
}

/**
 * @param everyWorkspace statements that are bound to no workspace
 * @throws {ConfigError}
 */
export async function openIdentity(
  everyWorkspace: Pick<Queries, 'query' | 'execute' | 'foreign'>,
  config: Config,
  logger: Logger,
): Promise<Identity> {
  const tokens = tokensOf(config);
  const keys = new KeyRing(new KeyLookupRepository(everyWorkspace), (err) =>
    logger.warn({ err }, 'Key:UseNotRecorded'),
  );
  const links = await LinkSigner.open(new LinkKeyRepository(everyWorkspace), config.TERRAQL_LINK_TTL_S, (err) =>
    logger.warn({ err }, 'Links:KeysNotRead'),
  );
  const machine = new MachineToken();
  const workspaces = new WorkspaceRepository(everyWorkspace);
  const mode = config.TERRAQL_AUTH ?? 'off';
  const refusals = new Refusals(
    (workspace, entry) => new AuditRepository(everyWorkspace, workspace).add([entry]),
    (attempt) => logger.warn(attempt, 'Audit:NotRecorded'),
  );
  const authenticator = new Authenticator({ mode, keys, machine, tokens, links, workspaces, refusals });
  const usage = new UsageMeter(
    (uses) => addUsage(everyWorkspace, uses),
    (err) => logger.warn({ err }, 'Usage:NotRecorded'),
  );
  const quotas = new KeptQuotas(everyWorkspace, defaultQuotas(config));
  const rates = new RateLimits(everyWorkspace, quotas, config.DATABASE_URL !== undefined, (name, workspace, points) =>
    usage.add(workspace, { [name]: points }),
  );
  const sweep = (): void => {
    removeOldRecords(everyWorkspace, config.TERRAQL_AUDIT_DAYS).catch((err: unknown) =>
      logger.warn({ err }, 'Audit:NotSwept'),
    );
  };
  const sweeping = setInterval(sweep, SWEEP_MS).unref();
  return {
    authenticator,
    keys,
    machine,
    workspaces,
    rates,
    quotas,
    refusals,
    usage,
    signIn: () => signInOf(tokens, config, logger),
    linksFor: ({ workspace }, baseUrl) => ({
      absolute: (path, method = 'GET') =>
        baseUrl + (authenticator.isRequired ? links.sign(method, path, workspace) : path),
    }),
    async close() {
      clearInterval(sweeping);
      links.close();
      await usage.close();
    },
  };
}

/** Between removals of old records. */
const SWEEP_MS = 3600_000;

/** Nobody shares a service without a login, so it has no limits unless they are set. */
function defaultQuotas(config: Config): Quotas {
  const shared = (limit: number): number | null => (config.TERRAQL_AUTH === 'required' ? limit : null);
  return {
    REQUESTS_PER_MINUTE: config.TERRAQL_MAX_REQUESTS_PER_MINUTE ?? shared(6000),
    COST_PER_MINUTE: config.TERRAQL_MAX_COST_PER_MINUTE ?? shared(5_000_000),
    WAITING_WINDOWS: config.TERRAQL_MAX_WAITING_WINDOWS ?? shared(100_000),
    BYTES_STORED: config.TERRAQL_MAX_STORED_BYTES ?? shared(1e12),
    FEATURES: config.TERRAQL_MAX_FEATURES ?? shared(100_000_000),
  };
}

async function signInOf(tokens: TokenVerifier | null, config: Config, logger: Logger): Promise<SignIn | null> {
  const { TERRAQL_OPENID_CLIENT_ID: clientId, TERRAQL_OPENID_SCOPE: scope, TERRAQL_JWT_AUDIENCE: audience } = config;
  if (!tokens || clientId === undefined || audience === undefined) return null;
  try {
    const { issuer, authorization_endpoint, token_endpoint } = await tokens.provider();
    const endpoints = { authorizationEndpoint: authorization_endpoint, tokenEndpoint: token_endpoint };
    return { issuer, ...endpoints, clientId, scope, audience };
  } catch (err) {
    // Whoever has an API key signs in all the same.
    logger.warn({ err }, 'SignIn:ProviderUnavailable');
    return null;
  }
}

/** @returns null where no OpenID provider is configured @throws {ConfigError} */
function tokensOf(config: Config): TokenVerifier | null {
  const { TERRAQL_JWT_ISSUER: issuer, TERRAQL_JWT_AUDIENCE: audience } = config;
  if (issuer === undefined) {
    if (config.TERRAQL_OPENID_CLIENT_ID === undefined) return null;
    throw new ConfigError('TERRAQL_OPENID_CLIENT_ID needs TERRAQL_JWT_ISSUER, at which people sign in.');
  }
  if (audience === undefined) {
    throw new ConfigError(
      'TERRAQL_JWT_ISSUER needs TERRAQL_JWT_AUDIENCE: tokens for other services must not be accepted.',
    );
  }
  return new TokenVerifier({
    issuer,
    audience,
    algorithms: config.TERRAQL_JWT_ALGORITHMS,
    clockToleranceS: config.TERRAQL_JWT_CLOCK_TOLERANCE_S,
    workspaceClaim: config.TERRAQL_JWT_WORKSPACE_CLAIM,
    roleClaim: config.TERRAQL_JWT_ROLE_CLAIM,
    role: config.TERRAQL_JWT_ROLE,
  });
}
