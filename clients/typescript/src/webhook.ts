import { Webhook } from 'standardwebhooks';

/** A message of a webhook. */
export interface WebhookMessage {
  /** Such as `features.added`. */
  readonly type: string;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Reads a message that a webhook received, once its signature is checked.
 * @param body as it arrived, not parsed
 * @param headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, names in lower case
 * @param secret that `createWebhook` or `rotateWebhookSecret` returned
 * @throws {WebhookVerificationError} of `standardwebhooks`, for another secret and for a message older than five minutes
 * @see https://www.standardwebhooks.com
 */
export function verifyWebhook(body: string, headers: Readonly<Record<string, string>>, secret: string): WebhookMessage {
  return new Webhook(secret).verify(body, { ...headers }) as WebhookMessage;
}
