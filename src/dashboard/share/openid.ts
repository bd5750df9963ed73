import { credential } from './credential.ts';

/** How people sign in, as the service tells it. */
export interface OpenidSettings {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly scope: string;
  readonly audience: string;
}

/** What the page remembers while somebody is at the provider. */
interface Pending {
  readonly state: string;
  readonly verifier: string;
  /** Address of the page that is shown afterwards. */
  readonly returnTo: string;
  readonly settings: OpenidSettings;
}

const PENDING = 'terraql-openid';

/** Where the provider returns to: the page itself, without its state. */
const redirectUri = (): string => new URL('.', document.baseURI).href;

/**
 * Leaves for the provider.
 * @see https://www.rfc-editor.org/rfc/rfc7636 proof key for code exchange
 */
export async function beginSignIn(settings: OpenidSettings): Promise<void> {
  const pending: Pending = { state: random(), verifier: random(), returnTo: location.href, settings };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const challenge = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier));
  const url = new URL(settings.authorizationEndpoint);
  const asked = {
    response_type: 'code',
    client_id: settings.clientId,
    redirect_uri: redirectUri(),
    scope: settings.scope,
    state: pending.state,
    code_challenge: base64url(new Uint8Array(challenge)),
    code_challenge_method: 'S256',
    ...resourceOf(settings),
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  location.assign(url);
}

/**
 * Takes up what the provider returned with, and gives the page its address back.
 * @returns why nobody is signed in; null when the provider returned nothing, or all went well
 */
export async function completeSignIn(): Promise<string | null> {
  const answer = new URLSearchParams(location.search);
  const text = sessionStorage.getItem(PENDING);
  const state = answer.get('state');
  if (text === null || state === null || !(answer.has('code') || answer.has('error'))) return null;
  sessionStorage.removeItem(PENDING);
  const pending = JSON.parse(text) as Pending;
  history.replaceState(null, '', pending.returnTo);
  if (state !== pending.state) return 'The answer of the provider does not belong to this tab.';
  const issuer = answer.get('iss');
  if (issuer !== null && issuer !== pending.settings.issuer) return `The answer is of another provider, ${issuer}.`;
  const code = answer.get('code');
  if (code === null) return answer.get('error_description') ?? answer.get('error');
  return exchange(code, pending);
}

/** @returns why there is no token; null when there is one */
async function exchange(code: string, { verifier, settings }: Pending): Promise<string | null> {
  try {
    const response = await fetch(settings.tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri(),
        client_id: settings.clientId,
        code_verifier: verifier,
        ...resourceOf(settings),
      }),
    });
    const token = (await response.json()) as { access_token?: string; error?: string; error_description?: string };
    if (token.access_token === undefined) return token.error_description ?? token.error ?? `Status ${response.status}`;
    credential.set(token.access_token);
    return null;
  } catch (error) {
    return `${new URL(settings.tokenEndpoint).host} did not answer: ${error instanceof Error ? error.message : ''}`;
  }
}

/** Which service the token is for, where its audience is an address. @see https://www.rfc-editor.org/rfc/rfc8707 */
const resourceOf = ({ audience }: OpenidSettings): Record<string, string> =>
  URL.canParse(audience) ? { resource: audience } : {};

const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
