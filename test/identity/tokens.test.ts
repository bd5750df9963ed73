import { SignJWT, UnsecuredJWT } from 'jose';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenVerifier, type TokenSettings } from '../../src/identity/token-verifier.ts';
import { AUDIENCE, openProvider, type OpenidProvider } from './openid-provider.ts';

let provider: OpenidProvider;
let settings: TokenSettings;
let tokens: TokenVerifier;
beforeAll(async () => {
  provider = await openProvider({ terraql: { workspace: 'harbour' }, roles: ['reader', 'viewer', 'analyst'] });
  settings = {
    issuer: provider.issuer,
    audience: AUDIENCE,
    algorithms: ['RS256'],
    clockToleranceS: 30,
    workspaceClaim: 'terraql.workspace',
    roleClaim: 'roles',
    role: 'viewer',
  };
  tokens = new TokenVerifier(settings, 0);
});
afterAll(() => provider.close());

const now = (): number => Math.floor(Date.now() / 1000);

describe('a token of an OpenID provider', () => {
  it('makes a viewer of its subject, workspace and best role', async () => {
    expect(await tokens.accept(await provider.token())).toEqual({
      workspace: 'harbour',
      subject: 'machine',
      role: 'analyst',
    });
    expect(await tokens.accept(await provider.signed({}))).toMatchObject({ subject: 'anna' });
  });

  it.each([
    ['for another audience', { aud: 'https://other.test' }, 'The claim aud of the token is not accepted.'],
    ['of another issuer', { iss: 'https://other.test' }, 'The claim iss of the token is not accepted.'],
    ['that never expires', { exp: undefined }, 'The claim exp of the token is not accepted.'],
    ['without a workspace', { terraql: {} }, 'The token has no claim terraql.workspace, which names the workspace.'],
    [
      'without a role',
      { roles: ['reader'] },
      'The claim roles of the token names no role; it must name one of viewer, analyst, admin.',
    ],
  ])('is refused %s', async (_what, claims, message) => {
    await expect(tokens.accept(await provider.signed(claims))).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message,
    });
  });

  it('is refused once it has expired, but for the difference of clocks', async () => {
    const expired = await provider.signed({ exp: now() - 40 });
    await expect(tokens.accept(expired)).rejects.toMatchObject({ message: 'The token has expired.' });
    expect(await tokens.accept(await provider.signed({ exp: now() - 10 }))).toMatchObject({ subject: 'anna' });
  });

  it('is refused without a signature', async () => {
    const token = new UnsecuredJWT({ roles: ['admin'], terraql: { workspace: 'harbour' } })
      .setIssuer(provider.issuer)
      .setAudience(AUDIENCE)
      .setSubject('anna')
      .setExpirationTime('5m')
      .encode();
    await expect(tokens.accept(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('is refused when it is signed with the public key as a secret', async () => {
    const secret = Buffer.from(JSON.stringify(provider.publicKey()));
    const token = await new SignJWT({ roles: ['admin'], terraql: { workspace: 'harbour' } })
      .setProtectedHeader({ alg: 'HS256', kid: provider.publicKey().kid! })
      .setIssuer(provider.issuer)
      .setAudience(AUDIENCE)
      .setSubject('anna')
      .setExpirationTime('5m')
      .sign(secret);
    await expect(tokens.accept(token)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'The signature algorithm of the token is not accepted.',
    });
  });

  it('is refused when a part of it was changed', async () => {
    const [header, , signature] = (await provider.signed({})).split('.');
    const [, payload] = (await provider.signed({ sub: 'berta' })).split('.');
    await expect(tokens.accept([header, payload, signature].join('.'))).rejects.toMatchObject({
      message: 'The signature of the token is wrong.',
    });
    await expect(tokens.accept('not.a.token')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('is refused under a key that was rotated away, and accepted under the new one', async () => {
    const before = await provider.signed({});
    await tokens.accept(before);
    await provider.rotate();
    expect(await tokens.accept(await provider.signed({}))).toMatchObject({ subject: 'anna' });
    await expect(tokens.accept(before)).rejects.toMatchObject({
      message: 'The token is signed with a key that its provider does not publish.',
    });
  });
});

describe('a provider', () => {
  it('that does not answer is an outage, and is asked again for the next token', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const away = new TokenVerifier({ ...settings, issuer });
    await expect(away.accept('a.b.c')).rejects.toMatchObject({ code: 'IDENTITY_PROVIDER_UNAVAILABLE', retryAfterS: 2 });
    server.close();
  });

  it('that calls itself otherwise is not believed', async () => {
    const other = new TokenVerifier({ ...settings, issuer: `${provider.issuer}/` });
    await expect(other.accept('a.b.c')).rejects.toMatchObject({ code: 'IDENTITY_PROVIDER_UNAVAILABLE' });
  });
});
