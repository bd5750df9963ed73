import type { z } from 'zod';
import { AppError } from '../errors.ts';
import { parseJson } from '../parse-json.ts';
import { answeredError, connectionError, discard, type GuardedHttp, withoutSecrets } from './guarded-http.ts';

/** A document of another service is not what it should be. */
export class RemoteDocumentError extends AppError {
  readonly code = 'REMOTE_DOCUMENT_INVALID';
  constructor(url: string, reason: string) {
    super(`${url} cannot be used: ${reason}`);
  }
}

const MAX_BYTES = 32 * 2 ** 20;
const MAX_MS = 60_000;

/**
 * Fetches a JSON document.
 * @param body POSTs it, as JSON
 * @throws {RemoteDocumentError | DownloadFailedError} and errors of the guards
 */
export async function fetchJson<T>(http: GuardedHttp, url: string, schema: z.ZodType<T>, body?: object): Promise<T> {
  const signal = AbortSignal.timeout(MAX_MS);
  const accept = { accept: 'application/geo+json, application/json' };
  const answer = await http.request(url, {
    headers: body ? { ...accept, 'content-type': 'application/json' } : accept,
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal,
  });
  if (answer.statusCode !== 200) {
    discard(answer.body);
    throw answeredError(answer.url, answer.statusCode);
  }
  const name = withoutSecrets(answer.url);
  const text = await textOf(answer.body, name, signal);
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RemoteDocumentError(name, `${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'invalid'}`);
}

async function textOf(body: AsyncIterable<Uint8Array>, name: string, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of body) {
      length += part.length;
      if (length > MAX_BYTES) throw new RemoteDocumentError(name, `it is longer than ${MAX_BYTES} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    throw cause instanceof AppError ? cause : connectionError(name, cause, signal);
  }
  return Buffer.concat(parts).toString('utf8');
}
