import { createServer, type Server } from 'node:http';
import express from 'express';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { errorResponse } from '../../src/http/error-response.ts';
import { listen } from '../../src/http/listen.ts';
import { CorruptImageError } from '../../src/imagery/codec/codec-errors.ts';
import { SceneNotFoundError } from '../../src/scene/scene.service.ts';
import { UploadExpiredError, UploadUsedError } from '../../src/scene/upload-errors.ts';
import { BadInputError, OutageError } from '../../src/errors.ts';
import { ModelUnavailableError } from '../../src/inference/segmentation-model.ts';
import { MaskTooLargeForPngError } from '../../src/rendering/render-mask-png.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Asks a service that fails with `error`; `logged` are the lines of its log. */
async function failing(error: unknown) {
  const logged: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  const router = express();
  router.get('/', (_request, response) => {
    response.set('ETag', '"kept"').set('Cache-Control', 'immutable');
    throw error;
  });
  router.post('/', express.json({ limit: 10 }), (_request, response) => void response.end());
  router.use(errorResponse(logger));
  server = createServer(router);
  const { url } = await listen(server, '127.0.0.1', 0);
  return { url, logged };
}

describe('errors over HTTP', () => {
  it.each([
    [404, 'SCENE_NOT_FOUND', new SceneNotFoundError('s1'), 'Scene s1 does not exist.'],
    [
      410,
      'UPLOAD_EXPIRED',
      new UploadExpiredError('u1', new Date(0)),
      'Upload u1 expired at 1970-01-01T00:00:00.000Z.',
    ],
    [409, 'UPLOAD_USED', new UploadUsedError('u1', 'received'), 'Upload u1 has already been received.'],
    [413, 'MASK_TOO_LARGE', new MaskTooLargeForPngError(20_000, 20_000), /^The mask has 20000 x 20000 pixels/],
    [422, 'IMAGE_CORRUPT', new CorruptImageError('no end'), 'The image file is damaged: no end.'],
    [400, 'BAD_USER_INPUT', new BadInputError('4 is not a date'), '4 is not a date'],
  ])('are %i for %s, with the message, and are not logged', async (status, code, error, message) => {
    const { url, logged } = await failing(error);
    const response = await fetch(url);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, message: expect.stringMatching(message) as string } });
    expect(response.headers.get('etag')).not.toBe('"kept"');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(logged).toEqual([]);
  });

  it.each([
    [503, '2', 'DATABASE_UNAVAILABLE'],
    [507, '2', 'STORAGE_FULL'],
  ])('are %i with Retry-After %s for %s, and a warning in the log', async (status, wait, code) => {
    class Away extends OutageError {
      readonly code = code;
    }
    const { url, logged } = await failing(new Away('away'));
    const response = await fetch(url);
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, wait]);
    expect(await response.json()).toEqual({ error: { code, message: 'away' } });
    expect(logged.join('')).toContain('"level":40');
  });

  it('are 503 for a model that is away', async () => {
    const { url } = await failing(new ModelUnavailableError('m/1', 'it is being loaded'));
    const response = await fetch(url);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  });

  it('are 500 for anything else: the log has the reason, the answer has not', async () => {
    const { url, logged } = await failing(new Error('password of the database'));
    const response = await fetch(url);
    expect(response.status).toBe(500);
    const body = await response.text();
    expect(body).toContain('INTERNAL_SERVER_ERROR');
    expect(body).not.toContain('password');
    expect(logged.join('')).toContain('password of the database');
  });

  it.each([
    [413, '{"long": "body"}'],
    [400, '{"a"'],
  ])('are %i for a body that cannot be taken: %s', async (status, body) => {
    const { url } = await failing(new Error('not reached'));
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });
});
