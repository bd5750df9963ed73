import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DELIVERY_STATES, type WebhookEvent, WEBHOOK_EVENTS, WEBHOOK_STATES } from '../webhook/webhook.ts';
import { enumOf } from './enum.ts';
import { FeatureFilterInput } from './feature.type.ts';
import { DateTimeScalar, JSONScalar } from './scalars.ts';

type EventName = WebhookEvent extends infer Type
  ? Type extends `${infer Object_}.${infer Verb}`
    ? Uppercase<`${Object_}_${Verb}`>
    : never
  : never;

const nameOf = (event: WebhookEvent): EventName => event.replace('.', '_').toUpperCase() as EventName;
export const eventName = nameOf;
export const eventOf = (name: EventName): WebhookEvent => name.toLowerCase().replace('_', '.') as WebhookEvent;

export const WebhookEventEnum = enumOf<EventName>(...WEBHOOK_EVENTS.map(nameOf));
registerEnumType(WebhookEventEnum, {
  name: 'WebhookEvent',
  description: 'An event that a webhook reports. Messages carry it as `type`, such as `features.added`.',
  valuesConfig: {
    SCENE_REGISTERED: { description: 'An image was registered.' },
    SEGMENTATION_SUCCEEDED: { description: 'A question was answered.' },
    SEGMENTATION_FAILED: { description: 'A run failed.' },
    SEGMENTATION_CANCELLED: { description: 'A run was cancelled.' },
    FEATURES_ADDED: { description: 'A segmentation stored features that match the filter.' },
    FEATURES_REVIEWED: { description: 'Features that match the filter were reviewed.' },
    FEATURES_DELETED: {
      description: 'Features were deleted; sent regardless of the filter, which cannot be applied to deleted features.',
    },
  },
});

export const WebhookStateEnum = enumOf(...WEBHOOK_STATES);
registerEnumType(WebhookStateEnum, {
  name: 'WebhookState',
  description: 'State of a webhook.',
  valuesConfig: {
    ACTIVE: { description: 'Messages are sent.' },
    PAUSED: { description: 'Nothing is sent until the webhook is resumed; it then continues where it was paused.' },
  },
});

export const DeliveryStateEnum = enumOf(...DELIVERY_STATES);
registerEnumType(DeliveryStateEnum, {
  name: 'DeliveryState',
  description: 'State of a message.',
  valuesConfig: {
    WAITING: { description: 'The message is due, or will be sent again.' },
    DELIVERED: { description: 'The address answered with status 2xx.' },
    DEAD: { description: 'Delivery was abandoned after three days of attempts.' },
  },
});

@ObjectType('Webhook', { description: 'An address that receives events by Standard Webhooks.' })
export class WebhookType {
  @Field(() => ID, { description: 'Identifier.' })
  readonly id!: string;

  @Field(() => String, { description: 'Address that messages are posted to.' })
  readonly url!: string;

  @Field(() => String, { description: 'Purpose, for people.' })
  readonly description!: string;

  @Field(() => JSONScalar, {
    nullable: true,
    description: 'Conditions on the features to report, as JSON of `FeatureFilter`.',
  })
  readonly filter!: object | null;

  @Field(() => WebhookStateEnum, { description: 'State of a webhook.' })
  readonly state!: keyof typeof WebhookStateEnum;

  @Field(() => String, { nullable: true, description: 'Why it is PAUSED; null while it is ACTIVE.' })
  readonly pausedReason!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'First failure since the last success; null when the last attempt succeeded. After three days it is PAUSED.',
  })
  readonly failingSince!: Date | null;

  @Field(() => DateTimeScalar, { description: 'When it was created.' })
  readonly createdAt!: Date;
}

@ObjectType('CreatedWebhook', { description: 'A webhook with its new secret.' })
export class CreatedWebhookType {
  @Field(() => WebhookType, { description: 'The webhook.' })
  readonly webhook!: WebhookType;

  @Field(() => String, {
    description:
      'Secret that signs its messages, in the form Standard Webhooks libraries expect. It is shown only once.',
  })
  readonly secret!: string;
}

@ObjectType('DeliveryAnswer', { description: 'Result of one attempt.' })
export class DeliveryAnswerType {
  @Field(() => DateTimeScalar, { description: 'When the attempt began.' })
  readonly at!: Date;

  @Field(() => Int, { nullable: true, description: 'HTTP status; null without a response.' })
  readonly status!: number | null;

  @Field(() => String, { description: 'Beginning of the response body, or why no response arrived.' })
  readonly text!: string;

  @Field(() => Float, { description: 'Duration, milliseconds.' })
  readonly durationMs!: number;
}

@ObjectType('WebhookDelivery', { description: 'A message and its attempts; kept for a week after it ended.' })
export class WebhookDeliveryType {
  @Field(() => ID, { description: 'Identifier sent as `webhook-id`, the same for every attempt.' })
  readonly id!: string;

  @Field(() => String, { description: 'The message as it is sent.' })
  readonly body!: string;

  @Field(() => DeliveryStateEnum, { description: 'State of the message.' })
  readonly state!: keyof typeof DeliveryStateEnum;

  @Field(() => Int, { description: 'Number of attempts.' })
  readonly attempts!: number;

  @Field(() => DateTimeScalar, { description: 'When it was created.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended; null while it is WAITING.' })
  readonly finishedAt!: Date | null;

  @Field(() => [DeliveryAnswerType], { description: 'Results of the last twenty attempts, oldest first.' })
  readonly answers!: readonly DeliveryAnswerType[];
}

@InputType('CreateWebhookInput', { description: 'A new webhook.' })
export class CreateWebhookInput {
  @Field(() => String, { description: 'Address to post messages to, https.' })
  url!: string;

  @Field(() => String, { defaultValue: '', description: 'Purpose, at most 500 characters.' })
  description!: string;

  @Field(() => [WebhookEventEnum], { description: 'Events to report.' })
  events!: (keyof typeof WebhookEventEnum)[];

  @Field(() => FeatureFilterInput, {
    nullable: true,
    description: 'Conditions on the features to report; all features by default.',
  })
  filter?: FeatureFilterInput | null;

  @Field(() => String, { nullable: true, description: 'Slug of a view whose current filter is applied to each event.' })
  view?: string | null;
}
