import { AppError, OutageError } from '../errors.ts';
import type { EventStore, StoredEvent } from '../event/event.ts';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { FeatureService } from '../feature/feature.service.ts';
import type { Logger } from '../logging.ts';
import type { DeliveryQueue, NewDelivery, Recipient, WebhookEvent } from './webhook.ts';

/** Events of one step. */
const BATCH = 100;
/** Most identifiers of features in a message; `featureCount` has the number of all. */
const MAX_IDS = 1000;

/** What of a workspace the messages are made of. */
export interface WorkspaceParts {
  readonly events: EventStore;
  readonly features: Pick<FeatureService, 'find' | 'count'>;
}

/**
 * Turns events of the outbox into messages for the webhooks that want them. Each webhook has its own position in the outbox,
 * which moves in the transaction that queues the messages: none is left out, and none is queued twice, however many processes
 * plan and whenever they end.
 */
export class DeliveryPlanner {
  constructor(
    private readonly queue: DeliveryQueue,
    private readonly partsOf: (workspace: string) => WorkspaceParts,
    private readonly logger: Logger,
  ) {}

  /**
   * Plans until there are no more events. @returns number of messages
   * @throws what stopped one of the webhooks, after the others were planned; it may succeed later
   */
  async plan(now: Date): Promise<number> {
    let planned = 0;
    const failures: unknown[] = [];
    for (const recipient of await this.queue.recipients()) {
      try {
        planned += await this.planFor(recipient, now);
      } catch (error) {
        if (!(await this.isRefused(recipient, error))) failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return planned;
  }

  private async planFor(recipient: Recipient, now: Date): Promise<number> {
    const { events, features } = this.partsOf(recipient.workspace);
    let current = recipient;
    let planned = 0;
    for (;;) {
      // Taken first: whatever becomes visible afterwards lies behind it.
      const end = await events.end();
      const found = await events.after(current.position, recipient.events, BATCH);
      const deliveries: NewDelivery[] = [];
      for (const event of found) deliveries.push(...(await deliveriesOf(event, recipient.filter, features)));
      const last = found.length === BATCH ? found.at(-1)!.position : end;
      await this.queue.plan(current, last, deliveries, now);
      planned += deliveries.length;
      if (found.length < BATCH) return planned;
      current = { ...current, position: last };
    }
  }

  /** A filter that is refused will be refused again: the webhook waits for a person. */
  private async isRefused({ id }: Recipient, error: unknown): Promise<boolean> {
    this.logger.error({ err: error, webhook: id }, 'Webhook:Unplanned');
    if (!(error instanceof AppError) || error instanceof OutageError) return false;
    await this.queue.pause(id, `Its filter was refused: ${error.message}`);
    return true;
  }
}

/** @returns the message of an event; none when no feature matches the filter */
async function deliveriesOf(
  { type, objectId, position, data, at }: StoredEvent,
  filter: RequestedFilter | null,
  features: WorkspaceParts['features'],
): Promise<NewDelivery[]> {
  const told = filter === null && type !== 'features.added' ? data : await matching(type, data, filter, features);
  if (told === null) return [];
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data: told });
  return [{ eventId: position.id, type: type as WebhookEvent, objectId, body }];
}

/** What an event says, with the features that match; null when none does. Features that are gone cannot be asked about. */
async function matching(
  type: StoredEvent['type'],
  data: StoredEvent['data'],
  filter: RequestedFilter | null,
  features: WorkspaceParts['features'],
): Promise<StoredEvent['data'] | null> {
  if (type !== 'features.added' && type !== 'features.reviewed') return data;
  const { segmentationId, featureIds } = data;
  const own: RequestedFilter = {
    ...(segmentationId === undefined ? {} : { segmentationId }),
    ...(type === 'features.reviewed' && featureIds ? { ids: featureIds } : {}),
  };
  const wanted: RequestedFilter = filter === null ? own : { and: [own, filter] };
  const page = await features.find(wanted, undefined, { first: MAX_IDS });
  if (page.edges.length === 0) return null;
  const featureCount = page.hasNextPage ? await page.totalCount() : page.edges.length;
  return { ...data, featureCount, featureIds: page.edges.map(({ node }) => node.id) };
}
