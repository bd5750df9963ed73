import type { Answered } from './send-message.ts';
import type { DueDelivery, Outcome } from './webhook.ts';

/** A message is given up after this time of attempts, and a webhook is paused after this time without a success. */
const GIVE_UP_MS = 3 * 24 * 3600_000;
const FIRST_RETRY_MS = 5000;
const MAX_RETRY_MS = 6 * 3600_000;
/** What an address asks for is heeded up to this time. */
const MAX_ASKED_MS = 3600_000;
/** Retries are spread by so much, so that those of an outage do not come at once. */
const JITTER = 0.2;

/**
 * What an attempt makes of its delivery and its webhook: delivered by an answer 2xx; tried again after 5 s, 20 s, 80 s and so
 * on up to 6 h; given up after three days. An address that says it is gone (410) is paused, and its messages wait.
 * @param random in [0, 1)
 */
export function outcomeOf(
  delivery: DueDelivery,
  { status, retryAfterS }: Answered,
  now: Date,
  random: number,
): Outcome {
  if (status !== null && status >= 200 && status < 300) {
    return { state: 'DELIVERED', dueAt: now, failingSince: null, pausedReason: null };
  }
  const failingSince = delivery.failingSince ?? now;
  const isOver = now.getTime() - delivery.firstAttemptAt.getTime() >= GIVE_UP_MS;
  const asked = Math.min((retryAfterS ?? 0) * 1000, MAX_ASKED_MS);
  const backOff = Math.min(FIRST_RETRY_MS * 4 ** (delivery.attempts - 1), MAX_RETRY_MS);
  const waitMs = Math.max(asked, backOff) * (1 + JITTER * random);
  return {
    state: isOver ? 'DEAD' : 'WAITING',
    dueAt: new Date(now.getTime() + waitMs),
    failingSince,
    pausedReason: pauseReason(status, failingSince, now),
  };
}

function pauseReason(status: number | null, failingSince: Date, now: Date): string | null {
  if (status === 410) return 'The address answered 410 Gone.';
  if (now.getTime() - failingSince.getTime() < GIVE_UP_MS) return null;
  return `No message has been delivered since ${failingSince.toISOString()}.`;
}
