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
  description: 'What a webhook is told of. Messages have it as `type`, such as `features.added`.',
  valuesConfig: {
    SCENE_REGISTERED: { description: 'An image was registered.' },
    SEGMENTATION_SUCCEEDED: { description: 'A question was answered.' },
    SEGMENTATION_FAILED: { description: 'A run was given up.' },
    SEGMENTATION_CANCELLED: { description: 'A run was cancelled.' },
    FEATURES_ADDED: { description: 'A segmentation stored features that match the filter.' },
    FEATURES_REVIEWED: { description: 'Features that match the filter were reviewed.' },
    FEATURES_DELETED: {
      description: 'Features were deleted; sent whatever the filter, which cannot be asked of features that are gone.',
    },
  },
});

export const WebhookStateEnum = enumOf(...WEBHOOK_STATES);
registerEnumType(WebhookStateEnum, {
  name: 'WebhookState',
  description: 'Whether messages are sent.',
  valuesConfig: {
    ACTIVE: { description: 'Messages are sent.' },
    PAUSED: { description: 'Nothing is sent until it is resumed; it goes on where it was paused.' },
  },
});

export const DeliveryStateEnum = enumOf(...DELIVERY_STATES);
registerEnumType(DeliveryStateEnum, {
  name: 'DeliveryState',
  description: 'What became of a message.',
  valuesConfig: {
    WAITING: { description: 'It is due, or will be tried again.' },
    DELIVERED: { description: 'The address answered 2xx.' },
    DEAD: { description: 'It was given up after three days of attempts.' },
  },
});

@ObjectType('Webhook', { description: 'An address that is told of events, by Standard Webhooks.' })
export class WebhookType {
  @Field(() => ID, { description: 'Identifier.' })
  readonly id!: string;

  @Field(() => String, { description: 'Address that messages are posted to.' })
  readonly url!: string;

  @Field(() => String, { description: 'What it is for.' })
  readonly description!: string;

  @Field(() => JSONScalar, {
    nullable: true,
    description: 'Which features it is told of, as `FeatureFilter` takes it.',
  })
  readonly filter!: object | null;

  @Field(() => WebhookStateEnum, { description: 'Whether messages are sent.' })
  readonly state!: keyof typeof WebhookStateEnum;

  @Field(() => String, { nullable: true, description: 'Why it is PAUSED; null while it is ACTIVE.' })
  readonly pausedReason!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'First failure since the last success; null when the last attempt succeeded. After three days it is PAUSED.',
  })
  readonly failingSince!: Date | null;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  readonly createdAt!: Date;
}

@ObjectType('CreatedWebhook', { description: 'A webhook with its new secret.' })
export class CreatedWebhookType {
  @Field(() => WebhookType, { description: 'The webhook.' })
  readonly webhook!: WebhookType;

  @Field(() => String, {
    description: 'Secret that signs its messages, as libraries of Standard Webhooks take it. Shown this once.',
  })
  readonly secret!: string;
}

@ObjectType('DeliveryAnswer', { description: 'What one attempt came to.' })
export class DeliveryAnswerType {
  @Field(() => DateTimeScalar, { description: 'When it began.' })
  readonly at!: Date;

  @Field(() => Int, { nullable: true, description: 'HTTP status; null when there was no answer.' })
  readonly status!: number | null;

  @Field(() => String, { description: 'Beginning of the answer, or why there was none.' })
  readonly text!: string;

  @Field(() => Float, { description: 'How long it took, milliseconds.' })
  readonly durationMs!: number;
}

@ObjectType('WebhookDelivery', { description: 'A message and what became of it; kept for a week after its end.' })
export class WebhookDeliveryType {
  @Field(() => ID, { description: 'Sent as `webhook-id`, the same at every attempt.' })
  readonly id!: string;

  @Field(() => String, { description: 'The message as it is sent.' })
  readonly body!: string;

  @Field(() => DeliveryStateEnum, { description: 'What became of it.' })
  readonly state!: keyof typeof DeliveryStateEnum;

  @Field(() => Int, { description: 'Number of attempts.' })
  readonly attempts!: number;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  readonly createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended; null while it is WAITING.' })
  readonly finishedAt!: Date | null;

  @Field(() => [DeliveryAnswerType], { description: 'What the last twenty attempts came to, oldest first.' })
  readonly answers!: readonly DeliveryAnswerType[];
}

@InputType('CreateWebhookInput', { description: 'A new webhook.' })
export class CreateWebhookInput {
  @Field(() => String, { description: 'Address to post messages to, https.' })
  url!: string;

  @Field(() => String, { defaultValue: '', description: 'What it is for, at most 500 characters.' })
  description!: string;

  @Field(() => [WebhookEventEnum], { description: 'What it is told of.' })
  events!: (keyof typeof WebhookEventEnum)[];

  @Field(() => FeatureFilterInput, { nullable: true, description: 'Which features it is told of; all unless given.' })
  filter?: FeatureFilterInput | null;

  @Field(() => String, { nullable: true, description: 'Slug of a view to take the filter of, as it is at each event.' })
  view?: string | null;
}
