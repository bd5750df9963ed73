import { AppError } from './errors.ts';
import { isLoopbackHost } from './allowed-hosts.ts';

/** Settings that say who reaches a process, and who may ask it. */
interface Exposed {
  readonly TERRAQL_HOST: string;
  readonly TERRAQL_AUTH?: 'off' | 'required' | undefined;
  readonly TERRAQL_MODEL_SERVER_KEY?: string | undefined;
}

/** The service would listen on a reachable address without a decision about authentication. */
export class AuthNotChosenError extends AppError {
  readonly code = 'AUTH_NOT_CHOSEN';
  constructor(host: string) {
    super(
      `TERRAQL_HOST=${host} can be reached from other machines. Set TERRAQL_AUTH=required, or TERRAQL_AUTH=off to let everyone who reaches the service read, change and delete everything.`,
    );
  }
}

/** @throws {AuthNotChosenError} unless only this machine reaches the service, or TERRAQL_AUTH is set */
export function checkExposure({ TERRAQL_HOST, TERRAQL_AUTH }: Exposed): void {
  if (TERRAQL_AUTH === undefined && !isLoopbackHost(TERRAQL_HOST)) throw new AuthNotChosenError(TERRAQL_HOST);
}

/** Models would be served on a reachable address without a decision about authentication. */
export class ModelServerKeyMissingError extends AppError {
  readonly code = 'AUTH_NOT_CHOSEN';
  constructor(host: string) {
    super(
      `TERRAQL_HOST=${host} can be reached from other machines. Set TERRAQL_MODEL_SERVER_KEY here and for the clients, or TERRAQL_AUTH=off to let everyone who reaches the server use its models.`,
    );
  }
}

/** @throws {ModelServerKeyMissingError} unless only this machine reaches the server, a key is set, or TERRAQL_AUTH is `off` */
export function checkModelServerExposure(config: Exposed): void {
  const { TERRAQL_HOST: host, TERRAQL_AUTH: auth, TERRAQL_MODEL_SERVER_KEY: key } = config;
  if (key === undefined && auth !== 'off' && !isLoopbackHost(host)) throw new ModelServerKeyMissingError(host);
}
