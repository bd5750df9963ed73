import { randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { FeatureService } from '../feature/feature.service.ts';
import type { ViewService } from '../view/view.service.ts';
import type { Delivery, DeliveryState, NewWebhook, Webhook, WebhookStore } from './webhook.ts';

/** There is no webhook of that identifier. */
export class WebhookNotFoundError extends AppError {
  readonly code = 'WEBHOOK_NOT_FOUND';
  constructor(id: string) {
    super(`Webhook ${JSON.stringify(id)} does not exist.`);
  }
}

/** A webhook cannot be made as asked. */
export class InvalidWebhookError extends AppError {
  readonly code = 'WEBHOOK_INVALID';
}

/** A webhook with the secret that its messages are signed with. */
export interface CreatedWebhook {
  readonly webhook: Webhook;
  readonly secret: string;
}

/** A webhook as a client asks for it. */
export type RequestedWebhook = Omit<NewWebhook, 'viewId'> & { readonly view: string | null };

const MAX_WEBHOOKS = 50;
const MAX_URL = 2000;
const MAX_DESCRIPTION = 500;
const MAX_PAGE = 200;
const MAX_OVERLAP_S = 7 * 24 * 3600;

/** Webhooks of one workspace. */
export class WebhookService {
  constructor(
    private readonly store: WebhookStore,
    private readonly features: Pick<FeatureService, 'checkedFilter'>,
    private readonly views: Pick<ViewService, 'requireSlug'>,
    private readonly subject: string,
  ) {}

  list(): Promise<Webhook[]> {
    return this.store.list();
  }

  byId(id: string): Promise<Webhook | null> {
    return this.store.byId(id);
  }

  /** @throws {InvalidWebhookError} `ViewNotFoundError`, and what the check of the filter throws */
  async create({ url, description, events, filter, view }: RequestedWebhook): Promise<CreatedWebhook> {
    checkUrl(url);
    if (events.length === 0) throw new InvalidWebhookError('events is empty; name at least one.');
    if (description.length > MAX_DESCRIPTION) {
      throw new InvalidWebhookError(
        `The description has ${description.length} characters; the limit is ${MAX_DESCRIPTION}.`,
      );
    }
    if (filter && view !== null) throw new InvalidWebhookError('Give either a filter or a view, not both.');
    // As it will be asked: beside a condition on the segmentation.
    if (filter) await this.features.checkedFilter({ and: [{}, filter] });
    const viewId = view === null ? null : (await this.views.requireSlug(view)).id;
    const existing = (await this.store.list()).length;
    if (existing >= MAX_WEBHOOKS) {
      throw new InvalidWebhookError(`The workspace has ${existing} webhooks, which is the limit; delete one first.`);
    }
    const secret = newSecret();
    const asked = { url, description, events: [...new Set(events)], filter, viewId };
    return { webhook: await this.store.create(asked, secret, this.subject), secret };
  }

  /**
   * Gives a webhook a new secret; messages are signed with the former one too until the overlap is over.
   * @throws {WebhookNotFoundError} {@link InvalidWebhookError}
   */
  async rotateSecret(id: string, overlapS: number): Promise<CreatedWebhook> {
    if (!(overlapS >= 0 && overlapS <= MAX_OVERLAP_S)) {
      throw new InvalidWebhookError(`overlapS is ${overlapS}; it must be 0 to ${MAX_OVERLAP_S}.`, {
        details: { argument: 'overlapS', value: overlapS, limit: MAX_OVERLAP_S },
      });
    }
    const secret = newSecret();
    const found = await this.store.replaceSecret(id, secret, new Date(Date.now() + overlapS * 1000));
    const webhook = found ? await this.store.byId(id) : null;
    if (!webhook) throw new WebhookNotFoundError(id);
    return { webhook, secret };
  }

  /** @throws {WebhookNotFoundError} */
  pause(id: string): Promise<Webhook> {
    return this.changed(id, this.store.setPaused(id, `Paused by ${this.subject}.`));
  }

  /** Goes on where it was paused, with what happened since. @throws {WebhookNotFoundError} */
  resume(id: string): Promise<Webhook> {
    return this.changed(id, this.store.setPaused(id, null));
  }

  /** @throws {WebhookNotFoundError} */
  async delete(id: string): Promise<string> {
    if (!(await this.store.delete(id))) throw new WebhookNotFoundError(id);
    return id;
  }

  /** Newest first. @throws {InvalidWebhookError | InvalidIdentifierError} */
  async deliveries(
    webhookId: string,
    page: { readonly state: DeliveryState | null; readonly first: number; readonly after: string | null },
  ): Promise<Delivery[]> {
    if (!(page.first >= 1 && page.first <= MAX_PAGE)) {
      throw new InvalidWebhookError(`first is ${page.first}; it must be 1 to ${MAX_PAGE}.`, {
        details: { argument: 'first', value: page.first, limit: MAX_PAGE },
      });
    }
    return this.store.deliveries(webhookId, page);
  }

  /** Sends finished deliveries again, with the identifiers that they had. @throws {InvalidWebhookError} */
  async resend(ids: readonly string[]): Promise<Delivery[]> {
    if (ids.length > MAX_PAGE)
      throw new InvalidWebhookError(`ids has ${ids.length} identifiers; the limit is ${MAX_PAGE}.`, {
        details: { argument: 'ids', value: ids.length, limit: MAX_PAGE },
      });
    return this.store.resend(ids, new Date());
  }

  private async changed(id: string, change: Promise<Webhook | null>): Promise<Webhook> {
    const webhook = await change;
    if (!webhook) throw new WebhookNotFoundError(id);
    return webhook;
  }
}

/** As Standard Webhooks writes it: 24 random bytes. */
const newSecret = (): string => `whsec_${randomBytes(24).toString('base64')}`;

function checkUrl(text: string): void {
  if (text.length > MAX_URL) {
    throw new InvalidWebhookError(`The URL has ${text.length} characters; the limit is ${MAX_URL}.`, {
      details: { argument: 'input.url', value: text.length, limit: MAX_URL },
    });
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'https:') throw new InvalidWebhookError('The URL must begin with https://.');
  if (url.username !== '' || url.password !== '') {
    throw new InvalidWebhookError('The URL contains a user name or password; receivers check the signature instead.');
  }
}
