import type { EventPosition, EventType } from '../event/event.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';

/** What an address can be told of. */
export const WEBHOOK_EVENTS = [
  'scene.registered',
  'segmentation.succeeded',
  'segmentation.failed',
  'segmentation.cancelled',
  'features.added',
  'features.reviewed',
  'features.deleted',
] as const satisfies readonly EventType[];
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export const WEBHOOK_STATES = ['ACTIVE', 'PAUSED'] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];

export const DELIVERY_STATES = ['WAITING', 'DELIVERED', 'DEAD'] as const;
/** WAITING until it is DELIVERED, or DEAD after three days of attempts. */
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** An address that receives events. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly events: readonly WebhookEvent[];
  /** Features to report; null means all, or those of the view. */
  readonly filter: RequestedFilter | null;
  readonly viewId: string | null;
  readonly state: WebhookState;
  /** Null while it is ACTIVE. */
  readonly pausedReason: string | null;
  /** First failure since the last success; null: the last attempt succeeded. */
  readonly failingSince: Date | null;
  readonly createdAt: Date;
}

/** A webhook as a person asks for it. */
export type NewWebhook = Pick<Webhook, 'url' | 'description' | 'events' | 'filter' | 'viewId'>;

/** What one attempt came to. */
export interface DeliveryAnswer {
  readonly at: Date;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Beginning of the answer, or why there was none. */
  readonly text: string;
  readonly durationMs: number;
}

/** A message and its state. */
export interface Delivery {
  /** Sent as `webhook-id`, the same at every attempt. */
  readonly id: string;
  readonly type: WebhookEvent;
  readonly body: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly dueAt: Date;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly answers: readonly DeliveryAnswer[];
}

/** Webhooks of one workspace; the port that the database implements. */
export interface WebhookStore {
  /** Oldest first. */
  list(): Promise<Webhook[]>;
  byId(id: string): Promise<Webhook | null>;
  create(webhook: NewWebhook, secret: string, by: string): Promise<Webhook>;
  /** The present secret signs beside the new one until then. @returns whether there is such a webhook */
  replaceSecret(id: string, secret: string, formerUntil: Date): Promise<boolean>;
  /** @param pausedReason null: it is resumed @returns null when there is no such webhook */
  setPaused(id: string, pausedReason: string | null): Promise<Webhook | null>;
  delete(id: string): Promise<boolean>;
  /** Newest first. @param before identifier of the delivery that the page begins behind */
  deliveries(
    webhookId: string,
    page: { readonly state: DeliveryState | null; readonly first: number; readonly after: string | null },
  ): Promise<Delivery[]>;
  /** Puts finished deliveries back in the queue. @returns those that are now waiting */
  resend(ids: readonly string[], now: Date): Promise<Delivery[]>;
}

/** An active webhook, as far as its deliveries are made. */
export interface Recipient extends Pick<Webhook, 'id' | 'events' | 'filter'> {
  readonly workspace: string;
  readonly position: EventPosition;
}

/** A message to be queued. */
export interface NewDelivery {
  readonly eventId: number;
  readonly type: WebhookEvent;
  readonly objectId: string;
  readonly body: string;
}

/** A delivery that this process attempts now. */
export interface DueDelivery {
  readonly id: string;
  readonly webhookId: string;
  readonly url: string;
  /** Newest first; each signs the message. */
  readonly secrets: readonly string[];
  readonly body: string;
  /** With this one. */
  readonly attempts: number;
  readonly firstAttemptAt: Date;
  readonly failingSince: Date | null;
}

/** What an attempt makes of its delivery and its webhook. */
export interface Outcome {
  readonly state: DeliveryState;
  /** When it is due again. */
  readonly dueAt: Date;
  readonly failingSince: Date | null;
  /** Why the webhook is paused from now on; null: it is not. */
  readonly pausedReason: string | null;
}

/** The queue of deliveries of all workspaces; the port that the database implements. */
export interface DeliveryQueue {
  recipients(): Promise<Recipient[]>;
  /** Queues messages and moves the recipient's position; does nothing when another process has moved it. */
  plan(recipient: Recipient, to: EventPosition, deliveries: readonly NewDelivery[], now: Date): Promise<void>;
  pause(webhookId: string, reason: string): Promise<void>;
  /**
   * The next delivery that is due and the first of its object, leased to this process: it is due again when the lease is over.
   * @param busy webhooks that are left out
   */
  take(busy: readonly string[], now: Date, leaseUntil: Date): Promise<DueDelivery | null>;
  record(delivery: DueDelivery, answer: DeliveryAnswer, outcome: Outcome, now: Date): Promise<void>;
  removeFinishedBefore(time: Date): Promise<number>;
}
