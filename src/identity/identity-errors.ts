import { AppError } from '../errors.ts';
import { reaches, type Rule, type Viewer } from './viewer.ts';

/** Protection space that the `WWW-Authenticate` header names. */
const REALM = 'Bearer realm="TerraQL"';

/** A refusal that tells the client which credential to send. */
export interface Challenge {
  /** Value of the header `WWW-Authenticate`. @see https://www.rfc-editor.org/rfc/rfc6750#section-3 */
  readonly challenge: string;
}

/** The request carries no credential, or one that is not accepted. */
export class UnauthenticatedError extends AppError implements Challenge {
  readonly code = 'UNAUTHENTICATED';
  readonly challenge: string;
  /** Whether there was a credential. */
  readonly isOfCredential: boolean;

  /**
   * @param reason why the credential is not accepted; undefined where there is none
   * @param suspect whose the credential was, or claims to be
   */
  constructor(
    reason?: string,
    readonly suspect: Pick<Viewer, 'workspace' | 'subject'> | null = null,
  ) {
    super(reason ?? 'A credential is required: send an API key or a token as `Authorization: Bearer …`.');
    this.isOfCredential = reason !== undefined;
    this.challenge =
      reason === undefined ? REALM : `${REALM}, error="invalid_token", error_description="${quotable(reason)}"`;
  }
}

/** The viewer's role may not do it. */
export class ForbiddenError extends AppError implements Challenge {
  readonly code = 'FORBIDDEN';
  readonly challenge: string;

  /** @param what as the client named it @param needed the least role that may */
  constructor(what: string, { role }: Viewer, needed: Rule) {
    super(`${what} needs the role ${needed}; this credential has the role ${role}.`);
    this.challenge = `${REALM}, error="insufficient_scope", scope="${needed}"`;
  }
}

/**
 * @param refusals that records the attempt
 * @throws {ForbiddenError} when the viewer's role is too small
 */
export function requireRole(
  what: string,
  viewer: Viewer,
  needed: Rule,
  refusals: { forbidden(viewer: Viewer, what: string): void },
): void {
  const allowed = needed === 'machine' ? viewer.isMachine === true : reaches(viewer.role, needed);
  if (allowed) return;
  refusals.forbidden(viewer, what);
  throw new ForbiddenError(what, viewer, needed);
}

/** Characters that an attribute of the header may have. */
const quotable = (text: string): string => text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'");

export const isChallenge = (error: unknown): error is AppError & Challenge =>
  error instanceof UnauthenticatedError || error instanceof ForbiddenError;
