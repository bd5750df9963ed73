import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { OutageError } from '../errors.ts';
import { UnauthenticatedError } from './identity-errors.ts';
import { ROLES, type Role, type Viewer } from './viewer.ts';

/** Which tokens are accepted, and what they say. */
export interface TokenSettings {
  /** Of the OpenID provider; its keys are found by discovery. */
  readonly issuer: string;
  /** That tokens must be made for. */
  readonly audience: string;
  /** Signature algorithms; only asymmetric ones, so that nobody can sign with the public key. */
  readonly algorithms: readonly string[];
  /** Difference of clocks, seconds. */
  readonly clockToleranceS: number;
  /** Claim that names the workspace; undefined: every token works in `default`. */
  readonly workspaceClaim: string | undefined;
  /** Claim that names the role or roles; undefined: every token has `role`. */
  readonly roleClaim: string | undefined;
  readonly role: Role;
}

/** The provider does not answer, so tokens cannot be verified. */
export class IdentityProviderUnavailableError extends OutageError {
  readonly code = 'IDENTITY_PROVIDER_UNAVAILABLE';
  constructor(issuer: string, cause: unknown) {
    super(`The OpenID provider ${issuer} does not answer; tokens cannot be verified at the moment.`, { cause });
  }
}

/** What discovery says of a provider. @see https://openid.net/specs/openid-connect-discovery-1_0.html */
const Provider = z.object({
  issuer: z.string(),
  jwks_uri: z.url(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
});
export type Provider = z.infer<typeof Provider>;

const TIMEOUT_MS = 5000;
/** Between fetches of the provider's keys, whatever unknown keys tokens name. */
const COOLDOWN_MS = 10_000;

/** Accepts tokens of an OpenID provider. */
export class TokenVerifier {
  private discovery: Promise<{ readonly provider: Provider; readonly keys: JWTVerifyGetKey }> | null = null;

  constructor(
    private readonly settings: TokenSettings,
    private readonly cooldownMs = COOLDOWN_MS,
  ) {}

  /**
   * @param token a JWT, signed by a key that the provider publishes
   * @throws {UnauthenticatedError} {@link IdentityProviderUnavailableError}
   */
  async accept(token: string): Promise<Viewer> {
    const { keys } = await this.discovered();
    const { issuer, audience, algorithms, clockToleranceS: clockTolerance } = this.settings;
    const options = { issuer, audience, algorithms: [...algorithms], clockTolerance, requiredClaims: ['exp', 'sub'] };
    const { payload } = await jwtVerify(token, keys, options).catch((error: unknown) => {
      throw this.refusalOf(error);
    });
    return this.viewerOf(payload);
  }

  /** @throws {IdentityProviderUnavailableError} */
  async provider(): Promise<Provider> {
    return (await this.discovered()).provider;
  }

  private discovered(): NonNullable<TokenVerifier['discovery']> {
    this.discovery ??= this.discover().catch((error: unknown) => {
      this.discovery = null;
      throw new IdentityProviderUnavailableError(this.settings.issuer, error);
    });
    return this.discovery;
  }

  private async discover(): Promise<{ readonly provider: Provider; readonly keys: JWTVerifyGetKey }> {
    const { issuer } = this.settings;
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const provider = Provider.parse(await response.json());
    if (provider.issuer !== issuer) throw new Error(`it calls itself ${provider.issuer}`);
    const jwks = { timeoutDuration: TIMEOUT_MS, cooldownDuration: this.cooldownMs };
    return { provider, keys: createRemoteJWKSet(new URL(provider.jwks_uri), jwks) };
  }

  private refusalOf(error: unknown): Error {
    // Its signature was found right before.
    if (error instanceof errors.JWTExpired) {
      return new UnauthenticatedError('The token has expired.', this.suspectOf(error.payload));
    }
    if (error instanceof errors.JWTClaimValidationFailed) {
      return new UnauthenticatedError(`The claim ${error.claim} of the token is not accepted.`);
    }
    if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
      return new UnauthenticatedError('The signature algorithm of the token is not accepted.');
    }
    if (error instanceof errors.JWKSNoMatchingKey) {
      return new UnauthenticatedError('The token is signed with a key that its provider does not publish.');
    }
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      return new UnauthenticatedError('The signature of the token is wrong.');
    }
    if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
      return new UnauthenticatedError('The credential is neither an API key of this service nor a token.');
    }
    return new IdentityProviderUnavailableError(this.settings.issuer, error);
  }

  private suspectOf(payload: JWTPayload): Viewer | null {
    try {
      return this.viewerOf(payload);
    } catch {
      return null;
    }
  }

  private viewerOf(payload: JWTPayload): Viewer {
    const { workspaceClaim, roleClaim, role } = this.settings;
    const workspace = workspaceClaim === undefined ? 'default' : claimOf(payload, workspaceClaim);
    if (typeof workspace !== 'string' || workspace === '') {
      throw new UnauthenticatedError(`The token has no claim ${workspaceClaim}, which names the workspace.`);
    }
    const named = roleClaim === undefined ? [role] : [claimOf(payload, roleClaim)].flat();
    const best = ROLES.findLast((known) => named.includes(known));
    if (!best)
      throw new UnauthenticatedError(
        `The claim ${roleClaim} of the token names no role; it must name one of ${ROLES.join(', ')}.`,
      );
    return { workspace, subject: payload.sub ?? '', role: best };
  }
}

/** @param name of a claim, or a path to it as `realm_access.roles` */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (name in payload) return payload[name];
  return name.split('.').reduce<unknown>((value, part) => {
    return typeof value === 'object' && value !== null && part in value ? value[part as keyof typeof value] : undefined;
  }, payload);
}
