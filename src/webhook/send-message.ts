import { Webhook as Signer } from 'standardwebhooks';
import { plainText } from '../plain-text.ts';
import { GuardedHttp, type HttpOptions } from '../remote/guarded-http.ts';
import type { DueDelivery } from './webhook.ts';

/** What an address answered. */
export interface Answered {
  /** Null when there was no answer. */
  readonly status: number | null;
  /** Beginning of the answer, or why there was none. */
  readonly text: string;
  /** What the address asks for, seconds; null unless it does. */
  readonly retryAfterS: number | null;
}

/** All of it is for tests and unusual networks. */
export interface SenderOptions extends Omit<HttpOptions, 'idleMs'> {
  /** Longest that an address may take, milliseconds. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;
/** Kept of an answer, characters; read of it, bytes. */
const MAX_TEXT = 500;
const MAX_BYTES = 16_384;

/**
 * Sends messages as Standard Webhooks says. Every host is resolved and checked at every delivery, and the connection uses the
 * checked address; redirects are not followed.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class MessageSender {
  private readonly http: GuardedHttp;
  private readonly timeoutMs: number;

  constructor({ timeoutMs = TIMEOUT_MS, ...network }: SenderOptions = {}) {
    this.timeoutMs = timeoutMs;
    this.http = new GuardedHttp({ ...network, idleMs: timeoutMs });
  }

  /** @param now time of the signature; receivers refuse old ones */
  async send(
    { id, url, secrets, body }: Pick<DueDelivery, 'id' | 'url' | 'secrets' | 'body'>,
    now: Date,
  ): Promise<Answered> {
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'TerraQL',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': secrets.map((secret) => new Signer(secret).sign(id, now, body)).join(' '),
    };
    try {
      const answer = await this.http.requestOnce(url, { headers, body, signal: AbortSignal.timeout(this.timeoutMs) });
      const text = await beginningOf(answer.body);
      const retryAfterS = secondsOf(answer.headers['retry-after']);
      return { status: answer.statusCode, text: plainText(text, MAX_TEXT), retryAfterS };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { status: null, text: plainText(reason, MAX_TEXT), retryAfterS: null };
    }
  }

  close(): Promise<void> {
    return this.http.close();
  }
}

async function beginningOf(answer: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

const secondsOf = (retryAfter: string | undefined): number | null =>
  retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : null;
