import { existsSync } from 'node:fs';
import path from 'node:path';
import express, { type RequestHandler, Router } from 'express';
import { AppError } from '../errors.ts';
import type { SignIn } from '../identity/open-identity.ts';
import type { Outlet } from './outlet.ts';

/** Written by `vite` from `src/dashboard`, the same for sources and for the built service. */
export const DASHBOARD_FILES = path.resolve(import.meta.dirname, '../../dist/dashboard');

/** The dashboard was not built. */
export class DashboardMissingError extends AppError {
  readonly code = 'DASHBOARD_NOT_FOUND';
  constructor() {
    super('The dashboard is not built; `npm run setup` builds it. The API at /graphql works without it.');
  }
}

export interface DashboardOptions {
  /** Style of a background map; undefined: none. */
  readonly basemapStyle: string | undefined;
  /** Whether only known operations are answered, and files of saved views alone. */
  readonly persistedOnly: boolean;
  /** Largest file that can be uploaded. */
  readonly maxUploadBytes: number;
  /** How people sign in; null if only API keys are accepted. */
  readonly signIn: () => Promise<SignIn | null>;
}

/**
 * The dashboard at `/`, its files at `/assets/...`, and what it must know of the settings at `/dashboard.json`. Its content
 * security policy lets it talk to this origin alone, and to that of the background map where there is one.
 */
export function dashboardFiles(
  outlet: Outlet,
  { basemapStyle, persistedOnly, maxUploadBytes, signIn }: DashboardOptions,
): Router {
  const router = Router();
  const maps = basemapStyle === undefined ? [] : [new URL(basemapStyle).origin];
  const policy = contentSecurityPolicy(maps);
  const policyOfPage = async (): Promise<string> => {
    const found = await signIn();
    return contentSecurityPolicy(maps, found ? [new URL(found.tokenEndpoint).origin] : []);
  };
  router.get(outlet.declare('/dashboard.json', ['GET'], 'anyone'), async (_request, response) => {
    const told = { basemapStyle: basemapStyle ?? null, persistedOnly, maxUploadBytes, signIn: await signIn() };
    response.set('Cache-Control', 'no-cache').json(told);
  });
  router.use(
    outlet.declare('/assets', ['GET'], 'anyone'),
    express.static(path.join(DASHBOARD_FILES, 'assets'), {
      immutable: true,
      maxAge: '1y',
      index: false,
      // The worker of the map is bound by the policy of its own file.
      setHeaders: (response) => void response.setHeader('Content-Security-Policy', policy),
    }),
  );
  router.get(outlet.declare('/', ['GET'], 'anyone'), page(policyOfPage));
  return router;
}

function page(policy: () => Promise<string>): RequestHandler {
  const file = path.join(DASHBOARD_FILES, 'index.html');
  return async (_request, response) => {
    if (!existsSync(file)) throw new DashboardMissingError();
    response
      .set('Content-Security-Policy', await policy())
      .set('Cache-Control', 'no-cache')
      .set('Referrer-Policy', 'no-referrer');
    response.sendFile(file, { cacheControl: false });
  };
}

/**
 * @param maps origins of tiles, styles and glyphs from elsewhere
 * @param signIn origins that hand out tokens
 * @see https://www.w3.org/TR/CSP3/
 */
function contentSecurityPolicy(maps: readonly string[], signIn: readonly string[] = []): string {
  const listed = (origins: readonly string[]): string => origins.map((origin) => ` ${origin}`).join('');
  const elsewhere = listed(maps);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    `img-src 'self' data: blob:${elsewhere}`,
    `connect-src 'self'${elsewhere}${listed(signIn)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
