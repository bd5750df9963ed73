import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { Config } from '../../config.ts';

/**
 * Security headers of every answer. Answers that are pages replace the content security policy by their own; others may
 * load nothing at all.
 */
export function securityHeaders({
  TERRAQL_PUBLIC_URL,
  TERRAQL_CORS_ORIGINS,
}: Pick<Config, 'TERRAQL_PUBLIC_URL' | 'TERRAQL_CORS_ORIGINS'>): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    // Pages of other origins show pictures by `<img>`, which asks without CORS.
    crossOriginResourcePolicy: { policy: TERRAQL_CORS_ORIGINS.length > 0 ? 'cross-origin' : 'same-origin' },
    // Browsers ignore it over plain HTTP, and the proxy that terminates TLS knows its domain.
    strictTransportSecurity: TERRAQL_PUBLIC_URL?.startsWith('https://') === true,
  });
}
