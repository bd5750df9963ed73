import { setTimeout as sleep } from 'node:timers/promises';
import type { EventFeed } from '../event/event-feed.ts';
import type { OutboxRepository } from '../event/event.repository.ts';
import type { Logger } from '../logging.ts';
import { outcomeOf } from './delivery-policy.ts';
import type { DeliveryPlanner } from './plan-deliveries.ts';
import type { MessageSender } from './send-message.ts';
import type { DeliveryQueue, DueDelivery } from './webhook.ts';

/** Messages sent at once, and of these to one webhook. */
const LANES = 8;
const LANES_OF_ONE = 2;
/** A process that ends in the middle of an attempt leaves the message to others after this time. */
const LEASE_MS = 60_000;
const LOOK_EVERY_MS = 1000;
const CLEAN_EVERY_MS = 10 * 60_000;
/** Events and finished deliveries are kept for a week. */
const KEPT_MS = 7 * 24 * 3600_000;

export interface WebhookWorkerParts {
  readonly queue: DeliveryQueue;
  readonly planner: Pick<DeliveryPlanner, 'plan'>;
  readonly sender: Pick<MessageSender, 'send' | 'close'>;
  readonly outbox: Pick<OutboxRepository, 'removeBefore'>;
  readonly feed: Pick<EventFeed, 'onEvents'>;
  readonly logger: Logger;
  /** The present time; tests move it. */
  readonly clock: () => Date;
}

/** Plans and delivers messages, beside any number of other processes that do. */
export class WebhookWorker {
  private readonly closing = new AbortController();
  private readonly sending = new Set<Promise<void>>();
  private readonly busy = new Map<string, number>();
  private loop: Promise<void> = Promise.resolve();
  private stopFeed: () => void = () => undefined;
  private isStale = true;
  private cleanedMs = 0;

  constructor(private readonly parts: WebhookWorkerParts) {}

  start(): void {
    this.stopFeed = this.parts.feed.onEvents(() => (this.isStale = true));
    this.loop = this.repeat();
  }

  /** Attempts that are under way are finished first; the sender bounds them. */
  async close(): Promise<void> {
    this.stopFeed();
    this.closing.abort();
    await this.loop;
    await this.parts.sender.close();
    await Promise.all(this.sending);
  }

  /** Plans what has happened and sends what is due. @returns when all of it was attempted */
  async work(): Promise<void> {
    const { planner, clock } = this.parts;
    if (this.isStale) {
      this.isStale = false;
      await planner.plan(clock());
    }
    while (!this.closing.signal.aborted) {
      const isTaken = this.sending.size < LANES && (await this.sendNext());
      if (isTaken) continue;
      if (this.sending.size === 0) return;
      await Promise.race(this.sending);
    }
  }

  private async sendNext(): Promise<boolean> {
    const { queue, clock } = this.parts;
    const now = clock();
    const busy = [...this.busy].flatMap(([id, count]) => (count >= LANES_OF_ONE ? id : []));
    const delivery = await queue.take(busy, now, new Date(now.getTime() + LEASE_MS));
    if (!delivery) return false;
    const { webhookId } = delivery;
    this.busy.set(webhookId, (this.busy.get(webhookId) ?? 0) + 1);
    const sent = this.send(delivery).finally(() => {
      this.busy.set(webhookId, this.busy.get(webhookId)! - 1);
      this.sending.delete(sent);
    });
    this.sending.add(sent);
    return true;
  }

  private async send(delivery: DueDelivery): Promise<void> {
    const { queue, sender, clock, logger } = this.parts;
    const begun = performance.now();
    const at = clock();
    const answered = await sender.send(delivery, at);
    const { status, text } = answered;
    const now = clock();
    const outcome = outcomeOf(delivery, answered, now, Math.random());
    const answer = { at, status, text, durationMs: Math.round(performance.now() - begun) };
    try {
      await queue.record(delivery, answer, outcome, now);
      if (outcome.pausedReason !== null) logger.warn({ webhook: delivery.webhookId, outcome }, 'Webhook:Paused');
    } catch (err) {
      // It is sent again when its lease is over, with the same identifier.
      logger.error({ err, delivery: delivery.id }, 'Webhook:Unrecorded');
    }
  }

  private async repeat(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        await this.work();
        await this.clean();
      } catch (err) {
        this.isStale = true;
        this.parts.logger.error({ err }, 'Webhook:Failed');
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async clean(): Promise<void> {
    const now = this.parts.clock().getTime();
    if (now - this.cleanedMs < CLEAN_EVERY_MS) return;
    this.cleanedMs = now;
    const before = new Date(now - KEPT_MS);
    await this.parts.queue.removeFinishedBefore(before);
    await this.parts.outbox.removeBefore(before);
  }
}
