import type { TypedDocumentString } from './generated/graphql.ts';
import { connection } from './connection.ts';
import { credential } from './share/credential.ts';
import { texts } from './texts.en.ts';

/** Addresses of the service, which the page is part of. */
export const service = (): URL => new URL('.', document.baseURI);
export const address = (path: string): string => new URL(path.replace(/^\//, ''), service()).href;

/** The service answered with an error, or not at all. */
export class ServiceError extends Error {
  constructor(
    message: string,
    /** Of the error, as `UNAUTHENTICATED`; null where the service could not be reached. */
    readonly code: string | null,
  ) {
    super(message);
  }
}

interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/**
 * Asks the service one operation.
 * @throws {ServiceError} for the first error of the answer
 */
export async function ask<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Data> {
  const response = await fetch(address('/graphql'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...credential.headers() },
    body: JSON.stringify({ query: document.toString(), variables }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    connection.failed();
    throw new ServiceError(error instanceof Error ? error.message : 'no answer', null);
  });
  connection.answered();
  const answer = (await response.json().catch(() => null)) as Answer<Data> | null;
  const [problem] = answer?.errors ?? [];
  if (problem) throw new ServiceError(problem.message, problem.extensions?.code ?? 'UNKNOWN');
  if (!answer?.data) throw new ServiceError(`${response.status} ${response.statusText}`, 'UNKNOWN');
  return answer.data;
}

/** What went wrong, in words for the person before the page. */
export function problemText(error: unknown): string {
  if (error instanceof ServiceError && error.code === 'UNAUTHENTICATED') return texts.signIn;
  if (error instanceof ServiceError && error.code === 'FORBIDDEN') return texts.forbidden(error.message);
  return texts.failed(error instanceof Error ? error.message : String(error));
}
