import { KEY_MARK } from './api-key.ts';
import { UnauthenticatedError } from './identity-errors.ts';
import type { KeyRing } from './key-ring.ts';
import type { MachineToken } from './machine-token.ts';
import { DEFAULT_VIEWER, type Viewer } from './viewer.ts';

/** Where a viewer's credential comes from; null: none. */
export interface Presented {
  /** Value of the header `Authorization`. */
  readonly authorization: string | undefined;
  /** Workspace that a command on the machine works in. */
  readonly workspace?: string | undefined;
}

/** Finds out who asks. */
export class Authenticator {
  constructor(
    private readonly parts: {
      readonly mode: 'off' | 'required';
      readonly keys: KeyRing;
      readonly machine: MachineToken;
    },
  ) {}

  /** Whether requests need a credential. */
  get isRequired(): boolean {
    return this.parts.mode === 'required';
  }

  /** @throws {UnauthenticatedError} when a credential is required and none is accepted */
  async viewerOf({ authorization, workspace }: Presented): Promise<Viewer> {
    const { machine, keys } = this.parts;
    const token = bearerToken(authorization);
    if (token !== null && machine.matches(token)) return machine.viewer(workspace);
    if (!this.isRequired) return DEFAULT_VIEWER;
    if (token === null) throw new UnauthenticatedError();
    if (!token.startsWith(KEY_MARK)) throw new UnauthenticatedError('The token is no API key of this service.');
    const { workspace: owner, name, role } = await keys.accept(token);
    return { workspace: owner, subject: name, role };
  }
}

/** @returns the token of `Bearer …`; null for no header and for another scheme @see RFC 6750, section 2.1 */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization ?? '')?.[1] ?? null;
}
