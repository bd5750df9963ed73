import { Query, Resolver } from 'type-graphql';
import { ERROR_CODES, type ErrorCode } from '../error-codes.ts';
import { AllowedTo } from './allowed-to.ts';
import { ErrorDescriptionType } from './error-code.type.ts';

/** What errors mean. */
@Resolver()
export class ErrorCodeResolver {
  @AllowedTo('viewer')
  @Query(() => [ErrorDescriptionType], { description: 'Every error code with its meaning.' })
  errorCodes(): ErrorDescriptionType[] {
    return Object.entries(ERROR_CODES).map(([code, description]) => ({ code: code as ErrorCode, ...description }));
  }
}
