import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { isLoopbackHost } from './allowed-hosts.ts';

/** The service would listen where others reach it, and nobody said who may ask. */
export class AuthNotChosenError extends AppError {
  readonly code = 'AUTH_NOT_CHOSEN';
  constructor(host: string) {
    super(
      `TERRAQL_HOST=${host} can be reached from other machines. Set TERRAQL_AUTH=required, or TERRAQL_AUTH=off to let whoever reaches the service read, change and delete everything.`,
    );
  }
}

/** @throws {AuthNotChosenError} unless only this machine reaches the service, or TERRAQL_AUTH is set */
export function checkExposure({ TERRAQL_HOST, TERRAQL_AUTH }: Pick<Config, 'TERRAQL_HOST' | 'TERRAQL_AUTH'>): void {
  if (TERRAQL_AUTH === undefined && !isLoopbackHost(TERRAQL_HOST)) throw new AuthNotChosenError(TERRAQL_HOST);
}
