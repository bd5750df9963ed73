import { Field, Float, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';

export const QuotaNameEnum = enumOf(
  'REQUESTS_PER_MINUTE',
  'COST_PER_MINUTE',
  'WAITING_WINDOWS',
  'BYTES_STORED',
  'FEATURES',
);
registerEnumType(QuotaNameEnum, {
  name: 'QuotaName',
  description: 'What a workspace may use up in a minute, or have at a time.',
  valuesConfig: {
    REQUESTS_PER_MINUTE: { description: 'Requests and subscriptions.' },
    COST_PER_MINUTE: { description: 'Cost of operations, files and tiles, as in `extensions.cost`.' },
    WAITING_WINDOWS: { description: 'Windows of runs that are not finished.' },
    BYTES_STORED: { description: 'Copies of images, and stored files.' },
    FEATURES: { description: 'Stored features.' },
  },
});

@ObjectType('Quota', { description: 'What a workspace may use up or have.' })
export class QuotaType {
  @Field(() => QuotaNameEnum, { description: 'Of what.' })
  readonly name!: keyof typeof QuotaNameEnum;

  @Field(() => Float, { nullable: true, description: 'The most; null: unlimited.' })
  readonly maximum!: number | null;

  @Field(() => Float, { nullable: true, description: 'What holds where nothing is set; null: unlimited.' })
  readonly byDefault!: number | null;

  @Field(() => Boolean, { description: 'Whether it is set for the workspace.' })
  readonly isSet!: boolean;

  @Field(() => Float, { description: 'Used in this minute, or stored at this time.' })
  readonly used!: number;
}

@ObjectType('Limit', { description: 'A budget of a workspace.' })
export class LimitType {
  @Field(() => String, { description: 'Name of the quota.' })
  readonly name!: string;

  @Field(() => Float, { description: 'The most.' })
  readonly maximum!: number;

  @Field(() => Float, { description: 'What is left.' })
  readonly available!: number;

  @Field(() => Float, { description: 'How much comes back in a second by itself.' })
  readonly restoredPerS!: number;
}

@InputType('QuotasInput', {
  description: 'Quotas of a workspace; those that are not given are as the settings of the service say.',
})
export class QuotasInput {
  @Field(() => Float, { nullable: true, description: 'Requests and subscriptions in a minute.' })
  requestsPerMinute?: number | null;

  @Field(() => Float, { nullable: true, description: 'Cost in a minute.' })
  costPerMinute?: number | null;

  @Field(() => Float, { nullable: true, description: 'Windows of runs that are not finished.' })
  waitingWindows?: number | null;

  @Field(() => Float, { nullable: true, description: 'Copies of images, and stored files, bytes.' })
  bytesStored?: number | null;

  @Field(() => Float, { nullable: true, description: 'Stored features.' })
  features?: number | null;
}
