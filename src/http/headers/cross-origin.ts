import cors from 'cors';
import type { RequestHandler } from 'express';

/**
 * Lets pages of other origins use every route: reading, asking, uploading, files and tiles.
 * @param origins as browsers send them, `https://maps.example.org`; `*` for any
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function crossOrigin(origins: readonly string[]): RequestHandler {
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Range', 'If-None-Match', 'If-Range', 'Apollo-Require-Preflight'],
    exposedHeaders: [
      'ETag',
      'Content-Range',
      'Content-Length',
      'Accept-Ranges',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'TerraQL-Feature-Count',
      'TerraQL-Features-Left-Out',
      'TerraQL-Warning',
      'X-Request-Id',
    ],
    maxAge: 600,
    optionsSuccessStatus: 204,
  });
}
