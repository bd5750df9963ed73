/** An error of the service, as GraphQL and the other routes have it. */
export class TerraqlError extends Error {
  override readonly name = 'TerraqlError';
  /** Stable, in capitals, such as `SCENE_NOT_FOUND`. @see docs/errors.md */
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Seconds after which it may; null when the service does not say. */
  readonly retryAfterS: number | null;

  constructor(
    message: string,
    /** Everything that the service says of it. */
    readonly extensions: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    const { code, retryable, retryAfterS } = extensions;
    this.code = typeof code === 'string' ? code : 'UNKNOWN';
    this.retryable = retryable === true;
    this.retryAfterS = typeof retryAfterS === 'number' ? retryAfterS : null;
  }
}

interface Body {
  readonly errors?: readonly { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> }[];
  readonly error?: Readonly<Record<string, unknown>>;
}

/** The error of a response; of several the first. */
export async function errorOf(response: Response, body?: Body): Promise<TerraqlError> {
  const said = body ?? ((await response.json().catch(() => ({}))) as Body);
  const [first] = said.errors ?? [];
  if (first) return new TerraqlError(first.message, first.extensions);
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retry = Number.isFinite(wait) ? { retryable: true, retryAfterS: wait } : {};
  const { message } = said.error ?? {};
  const text = typeof message === 'string' ? message : `status ${response.status}`;
  return new TerraqlError(text, { ...retry, ...said.error });
}
