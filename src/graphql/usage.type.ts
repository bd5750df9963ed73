import { Field, Float, ObjectType, registerEnumType } from 'type-graphql';
import { enumOf } from './enum.ts';
import { DateTimeScalar } from './scalars.ts';

export const UsageGroupingEnum = enumOf('DAY', 'MODEL');
registerEnumType(UsageGroupingEnum, {
  name: 'UsageGrouping',
  description: 'How usage is grouped.',
  valuesConfig: { DAY: { description: 'By days in UTC.' }, MODEL: { description: 'By models.' } },
});

@ObjectType('Usage', { description: 'Usage of a workspace.' })
export class UsageType {
  @Field(() => DateTimeScalar, { description: 'Beginning of the first day.' })
  readonly from!: Date;

  @Field(() => DateTimeScalar, { description: 'End of the last day.' })
  readonly to!: Date;

  @Field(() => String, {
    nullable: true,
    description: 'Identifier of the model; null for usage without a model, and where usage is not grouped by model.',
  })
  readonly model!: string | null;

  @Field(() => Float, { description: 'Number of requests and subscriptions.' })
  readonly requests!: number;

  @Field(() => Float, { description: 'Cost of operations, files and tiles, as in `extensions.cost`.' })
  readonly cost!: number;

  @Field(() => Float, { description: 'Number of windows that a model answered.' })
  readonly windows!: number;

  @Field(() => Float, { description: 'Time for which a model was at work or waited for, seconds.' })
  readonly modelS!: number;

  @Field(() => Float, {
    description: 'Ground that a model looked at, square kilometres; images without georeference have none.',
  })
  readonly areaKm2!: number;

  @Field(() => Float, { description: 'Size of images and files that were stored in that time, bytes.' })
  readonly bytesStored!: number;

  @Field(() => Float, { description: 'Size of answers, headers included, bytes.' })
  readonly bytesSent!: number;
}
