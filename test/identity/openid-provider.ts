import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';

export const AUDIENCE = 'https://terraql.test/api';

/** A provider of the package `oidc-provider` on loopback. */
export interface OpenidProvider {
  readonly issuer: string;
  /** The key that it signs with now, public half. */
  publicKey(): JWK;
  /** A token that the provider itself makes, for the grant of client credentials. */
  token(): Promise<string>;
  /** A token signed with its key now, with claims and header changed. */
  signed(claims: object, header?: { alg?: string; kid?: string }): Promise<string>;
  /** Replaces its key by another. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

/** @param redirectUri of the dashboard, for people who sign in @param claims that its tokens have beside the standard ones */
export async function openProvider(claims: object, redirectUri = 'http://127.0.0.1/'): Promise<OpenidProvider> {
  let answer: RequestListener = () => undefined;
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let key: JWK = {};
  async function rotate(): Promise<void> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    key = { ...(await exportJWK(privateKey)), kid: `key-${Date.now()}-${Math.random()}`, alg: 'RS256', use: 'sig' };
    const callback = providerOf(issuer, key, claims, redirectUri).callback();
    answer = (request, response) => void callback(request, response);
  }
  await rotate();
  return {
    issuer,
    publicKey: () => ({ kty: key.kty!, n: key.n!, e: key.e!, kid: key.kid! }),
    async token() {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from('machine:secret').toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE }),
      });
      const { access_token: token } = (await response.json()) as { access_token?: string };
      if (token === undefined) throw new Error(`no token: ${response.status}`);
      return token;
    },
    async signed(given, { alg = 'RS256', kid = key.kid! } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all = { iss: issuer, aud: AUDIENCE, sub: 'anna', exp: now + 600, ...claims, ...given };
      return new SignJWT(all).setProtectedHeader({ alg, kid }).sign(await importJWK(key, 'RS256'));
    },
    rotate,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function providerOf(issuer: string, key: JWK, claims: object, redirectUri: string): Provider {
  const resource = {
    scope: 'openid',
    audience: AUDIENCE,
    accessTokenFormat: 'jwt' as const,
    accessTokenTTL: 600,
    jwt: { sign: { alg: 'RS256' as const } },
  };
  return new Provider(issuer, {
    jwks: { keys: [key] },
    cookies: { keys: ['only for tests'] },
    clientBasedCORS: () => true,
    clients: [
      {
        client_id: 'machine',
        client_secret: 'secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'dashboard',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [redirectUri],
      },
    ],
    extraTokenClaims: () => ({ ...claims }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => resource,
      },
    },
  });
}
