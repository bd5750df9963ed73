import { z } from 'zod';
import { count, documented, quoted } from './documented-setting.ts';

/** Asymmetric ones of RFC 7518 and RFC 8037. */
const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

/** Settings that say who may ask. */
export const IDENTITY_SETTINGS = {
  TERRAQL_AUTH: documented(z.enum(['off', 'required']).optional(), {
    description:
      '`required`: every request needs a credential; `off`: everyone who reaches the service is an administrator. It must be set when the service listens on an address other than loopback.',
    otherwise: '`off` on a loopback address',
  }),
  TERRAQL_API_KEY: documented(z.string().min(1).optional(), {
    description: 'API key that commands send to the server.',
    otherwise: "none; commands on the server's machine need no key",
  }),
  TERRAQL_WORKSPACE: documented(z.string().min(1).default('default'), {
    description:
      "Workspace of commands on the server's machine; with `TERRAQL_API_KEY` it is the workspace of the key.",
  }),
  TERRAQL_JWT_ISSUER: documented(z.url({ protocol: /^https?$/ }).optional(), {
    description: 'OpenID provider whose tokens are accepted, as named by its discovery document.',
    otherwise: 'none; only API keys are accepted',
  }),
  TERRAQL_JWT_AUDIENCE: documented(z.string().min(1).optional(), {
    description: 'Required audience of tokens; needed with `TERRAQL_JWT_ISSUER`.',
    otherwise: 'none',
  }),
  TERRAQL_JWT_ALGORITHMS: documented(
    z
      .string()
      .default('RS256,PS256,ES256,EdDSA')
      .transform((names) => names.split(',').flatMap((name) => name.trim() || []))
      .pipe(z.array(z.enum(TOKEN_ALGORITHMS)).min(1)),
    { description: `Signature algorithms of tokens, separated by commas: ${quoted(TOKEN_ALGORITHMS)}.` },
  ),
  TERRAQL_JWT_CLOCK_TOLERANCE_S: documented(z.coerce.number().int().min(0).max(600).default(30), {
    description: 'Tolerated clock difference in tokens, 0 to 600.',
    unit: 'seconds',
  }),
  TERRAQL_JWT_WORKSPACE_CLAIM: documented(z.string().min(1).optional(), {
    description: 'Claim of a token that names the workspace, or a path to it such as `terraql.workspace`.',
    otherwise: 'none; every token belongs to `default`',
  }),
  TERRAQL_JWT_ROLE_CLAIM: documented(z.string().min(1).optional(), {
    description: 'Claim of a token that names the role or roles, or a path to it such as `realm_access.roles`.',
    otherwise: 'none; every token has `TERRAQL_JWT_ROLE`',
  }),
  TERRAQL_JWT_ROLE: documented(z.enum(['viewer', 'analyst', 'admin']).default('viewer'), {
    description: 'Role of tokens whose claims name no role: `viewer`, `analyst` or `admin`.',
  }),
  TERRAQL_OPENID_CLIENT_ID: documented(z.string().min(1).optional(), {
    description:
      'Client identifier of the dashboard at `TERRAQL_JWT_ISSUER`, with which people sign in: a public client (code flow with PKCE) whose redirect address is that of the dashboard.',
    otherwise: 'none; the dashboard accepts only API keys',
  }),
  TERRAQL_OPENID_SCOPE: documented(z.string().min(1).default('openid'), {
    description: 'Scopes that the dashboard requests when people sign in, separated by spaces.',
  }),
  TERRAQL_LINK_TTL_S: count(86_400, 'Lifetime of signed links in answers, rounded up to a full hour.', 'seconds'),
  TERRAQL_MAX_REQUESTS_PER_MINUTE: documented(z.coerce.number().int().positive().optional(), {
    description: 'Maximum number of requests of a workspace per minute; `setQuotas` overrides it.',
    otherwise: '6000 if authentication is required, otherwise unlimited',
  }),
  TERRAQL_MAX_COST_PER_MINUTE: documented(z.coerce.number().int().positive().optional(), {
    description: 'Maximum cost of the operations, files and tiles of a workspace per minute; `setQuotas` overrides it.',
    otherwise: '5000000 if authentication is required, otherwise unlimited',
  }),
  TERRAQL_MAX_WAITING_WINDOWS: documented(z.coerce.number().int().nonnegative().optional(), {
    description: 'Maximum number of windows of a workspace that wait for a model; `setQuotas` overrides it.',
    otherwise: '100000 if authentication is required, otherwise unlimited',
  }),
  TERRAQL_MAX_STORED_BYTES: documented(z.coerce.number().int().nonnegative().optional(), {
    description: 'Maximum size of the image copies and stored files of a workspace; `setQuotas` overrides it.',
    unit: 'bytes',
    otherwise: '1000000000000 if authentication is required, otherwise unlimited',
  }),
  TERRAQL_MAX_FEATURES: documented(z.coerce.number().int().nonnegative().optional(), {
    description: 'Maximum number of stored features of a workspace; `setQuotas` overrides it.',
    otherwise: '100000000 if authentication is required, otherwise unlimited',
  }),
  TERRAQL_AUDIT_DAYS: count(365, 'How long audit entries are kept.', 'days'),
  TERRAQL_TRUSTED_PROXIES: documented(
    z
      .string()
      .default('')
      .transform((addresses) => addresses.split(',').flatMap((address) => address.trim() || []))
      .pipe(
        z.array(
          z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
            error: 'must be addresses or ranges such as 10.0.0.0/8, separated by commas',
          }),
        ),
      ),
    {
      description:
        'Addresses and ranges of trusted proxies, separated by commas: their `X-Forwarded-Host`, `-Proto`, `-For` and `X-Request-Id` headers are used.',
      otherwise: 'none',
    },
  ),
  TERRAQL_MODEL_SERVER_KEY: documented(
    z
      .string()
      .regex(/^[A-Za-z0-9._~+/-]{16,}=*$/, 'must be at least 16 characters that a bearer token may have')
      .optional(),
    {
      description: 'Key that `terraql model-server` requires and that clients of model servers send.',
      otherwise: 'none',
    },
  ),
};
