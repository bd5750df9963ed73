import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ERROR_CODES, type ErrorCode } from '../error-codes.ts';
import { enumOf } from './enum.ts';

const ErrorCodeEnum = enumOf(...(Object.keys(ERROR_CODES) as ErrorCode[]));

registerEnumType(ErrorCodeEnum, {
  name: 'ErrorCode',
  description: 'What `extensions.code` of an error may be. New codes may come with any release.',
  valuesConfig: Object.fromEntries(
    Object.entries(ERROR_CODES).map(([code, { when }]) => [code, { description: when }]),
  ),
});

@ObjectType('ErrorDescription', { description: 'When an error comes, and what to do about it.' })
export class ErrorDescriptionType {
  @Field(() => ErrorCodeEnum, { description: 'The code, as in `extensions.code`.' })
  readonly code!: ErrorCode;

  @Field(() => String, { description: 'When the error comes.' })
  readonly when!: string;

  @Field(() => Int, {
    description:
      'HTTP status of routes that answer with it; errors of fields come with 200 as GraphQL over HTTP has it.',
  })
  readonly status!: number;

  @Field(() => Boolean, { description: 'Whether the same request may succeed later.' })
  readonly isRetryable!: boolean;
}
