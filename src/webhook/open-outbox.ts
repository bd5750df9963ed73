import type { Database } from '../database/database.ts';
import { EventFeed } from '../event/event-feed.ts';
import { EventRepository, OutboxRepository } from '../event/event.repository.ts';
import type { Logger } from '../logging.ts';
import { DeliveryQueueRepository } from './delivery-queue.repository.ts';
import { DeliveryPlanner, type WorkspaceParts } from './plan-deliveries.ts';
import { MessageSender } from './send-message.ts';
import { WebhookWorker } from './webhook-worker.ts';

interface OutboxParts {
  readonly database: Database;
  readonly featuresOf: (workspace: string) => WorkspaceParts['features'];
  /** Whether this process sends messages. */
  readonly delivers: boolean;
  readonly logger: Logger;
}

/** The readers of the outbox in this process. */
export interface Outbox {
  /** Wakes subscriptions. */
  readonly feed: EventFeed;
  start(): Promise<void>;
  /** Ends every subscription, and finishes attempts that are under way. */
  close(): Promise<void>;
}

/** Makes what follows the outbox, and what delivers messages over the public internet by the present time. */
export function openOutbox({ database, featuresOf, delivers, logger }: OutboxParts): Outbox {
  const outbox = new OutboxRepository(database.forRuns);
  const feed = new EventFeed(outbox, database.session, logger);
  const queue = new DeliveryQueueRepository(database.forRuns);
  const partsOf = (workspace: string): WorkspaceParts => ({
    events: new EventRepository(database.forWorkspace(workspace)),
    features: featuresOf(workspace),
  });
  const planner = new DeliveryPlanner(queue, partsOf, logger);
  const sender = new MessageSender();
  const clock = (): Date => new Date();
  const worker = delivers ? new WebhookWorker({ queue, planner, sender, outbox, feed, logger, clock }) : null;
  return {
    feed,
    async start() {
      await feed.start();
      worker?.start();
    },
    async close() {
      await feed.close();
      await worker?.close();
    },
  };
}
