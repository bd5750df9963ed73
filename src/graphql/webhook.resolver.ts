import { Arg, Ctx, FieldResolver, Float, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { RequestedFilter } from '../feature/check-filter.ts';
import type { CreatedWebhook } from '../webhook/webhook.service.ts';
import type { Delivery, Webhook } from '../webhook/webhook.ts';
import { withoutNulls } from './absent-null.ts';
import { AllowedTo } from './allowed-to.ts';
import type { RequestContext } from './context.ts';
import {
  CreatedWebhookType,
  CreateWebhookInput,
  DeliveryStateEnum,
  eventName,
  eventOf,
  WebhookDeliveryType,
  WebhookEventEnum,
  WebhookType,
} from './webhook.type.ts';

const DEFAULT_OVERLAP_S = 24 * 3600;
const DEFAULT_DELIVERIES = 50;
const ID_OF_WEBHOOK = { description: 'Identifier of the webhook.' };

@Resolver(() => WebhookType)
export class WebhookResolver {
  @AllowedTo('admin')
  @Query(() => [WebhookType], { nullable: true, description: 'Every webhook of the workspace, oldest first.' })
  webhooks(@Ctx() { services }: RequestContext): Promise<Webhook[]> {
    return services.webhooks.list();
  }

  @AllowedTo('admin')
  @Query(() => WebhookType, {
    nullable: true,
    description: 'A webhook by its identifier; null when it does not exist.',
  })
  webhook(
    @Arg('id', () => ID, ID_OF_WEBHOOK) id: string,
    @Ctx() { services }: RequestContext,
  ): Promise<Webhook | null> {
    return services.webhooks.byId(id);
  }

  @FieldResolver(() => [WebhookEventEnum], { description: 'Events to report.' })
  events(@Root() { events }: Webhook): (keyof typeof WebhookEventEnum)[] {
    return events.map(eventName);
  }

  @FieldResolver(() => [WebhookDeliveryType], { nullable: true, description: 'Messages of the webhook, newest first.' })
  deliveries(
    @Root() { id }: Webhook,
    @Arg('state', () => DeliveryStateEnum, {
      nullable: true,
      description: 'State of the messages; any state by default.',
    })
    state: keyof typeof DeliveryStateEnum | undefined,
    @Arg('first', () => Int, { defaultValue: DEFAULT_DELIVERIES, description: 'Maximum number, 1 to 200.' })
    first: number,
    @Arg('after', () => ID, { nullable: true, description: 'Identifier of the delivery after which the page begins.' })
    after: string | undefined,
    @Ctx() { services }: RequestContext,
  ): Promise<Delivery[]> {
    return services.webhooks.deliveries(id, { state: state ?? null, first, after: after ?? null });
  }

  @AllowedTo('admin')
  @Mutation(() => CreatedWebhookType, {
    nullable: true,
    description: 'Creates a webhook; it reports events from now on.',
  })
  createWebhook(
    @Arg('input', () => CreateWebhookInput, { description: 'The webhook.' }) input: CreateWebhookInput,
    @Ctx() { services }: RequestContext,
  ): Promise<CreatedWebhook> {
    const { url, description, events, filter, view } = input;
    return services.webhooks.create({
      url,
      description,
      events: events.map(eventOf),
      filter: filter ? (withoutNulls(filter) as RequestedFilter) : null,
      view: view ?? null,
    });
  }

  @AllowedTo('admin')
  @Mutation(() => CreatedWebhookType, {
    nullable: true,
    description: 'Replaces the secret of a webhook. Messages are signed with both secrets until the overlap ends.',
  })
  rotateWebhookSecret(
    @Arg('id', () => ID, ID_OF_WEBHOOK) id: string,
    @Arg('overlapS', () => Float, {
      defaultValue: DEFAULT_OVERLAP_S,
      description: 'How long the former secret still signs, seconds, at most a week.',
    })
    overlapS: number,
    @Ctx() { services }: RequestContext,
  ): Promise<CreatedWebhook> {
    return services.webhooks.rotateSecret(id, overlapS);
  }

  @AllowedTo('admin')
  @Mutation(() => WebhookType, {
    nullable: true,
    description: 'Pauses a webhook; events in the meantime are sent once it is resumed.',
  })
  pauseWebhook(@Arg('id', () => ID, ID_OF_WEBHOOK) id: string, @Ctx() { services }: RequestContext): Promise<Webhook> {
    return services.webhooks.pause(id);
  }

  @AllowedTo('admin')
  @Mutation(() => WebhookType, { nullable: true, description: 'Resumes a webhook where it was paused.' })
  resumeWebhook(@Arg('id', () => ID, ID_OF_WEBHOOK) id: string, @Ctx() { services }: RequestContext): Promise<Webhook> {
    return services.webhooks.resume(id);
  }

  @AllowedTo('admin')
  @Mutation(() => ID, { nullable: true, description: 'Deletes a webhook with its deliveries. Returns its identifier.' })
  deleteWebhook(@Arg('id', () => ID, ID_OF_WEBHOOK) id: string, @Ctx() { services }: RequestContext): Promise<string> {
    return services.webhooks.delete(id);
  }

  @AllowedTo('admin')
  @Mutation(() => [WebhookDeliveryType], {
    nullable: true,
    description:
      'Sends finished deliveries again, whether DEAD or DELIVERED, with their original identifiers. Returns the deliveries that are now WAITING.',
  })
  resendDeliveries(
    @Arg('ids', () => [ID], { description: 'Identifiers of deliveries, at most 200.' }) ids: string[],
    @Ctx() { services }: RequestContext,
  ): Promise<Delivery[]> {
    return services.webhooks.resend(ids);
  }
}
