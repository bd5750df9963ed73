import { KEY_MARK } from './api-key.ts';
import { UnauthenticatedError } from './identity-errors.ts';
import type { KeyRing } from './key-ring.ts';
import type { LinkSigner } from './link-signer.ts';
import type { TokenVerifier } from './token-verifier.ts';
import type { Refusals } from './refusals.ts';
import type { MachineToken } from './machine-token.ts';
import { DEFAULT_VIEWER, type Viewer } from './viewer.ts';

/** Where a viewer's credential comes from; null: none. */
export interface Presented {
  /** Value of the header `Authorization`. */
  readonly authorization: string | undefined;
  /** The address asked for, which may be signed; undefined for sockets. */
  readonly link?: { readonly method: string; readonly address: string } | undefined;
  /** Workspace that a command on the machine works in. */
  readonly workspace?: string | undefined;
}

/** Determines the viewer of a request. */
export class Authenticator {
  constructor(
    private readonly parts: {
      readonly mode: 'off' | 'required';
      readonly keys: KeyRing;
      readonly machine: MachineToken;
      /** Null where no OpenID provider is configured. */
      readonly tokens: TokenVerifier | null;
      readonly links: LinkSigner;
      readonly workspaces: { find(id: string): Promise<unknown> };
      readonly refusals: Pick<Refusals, 'unauthenticated'>;
    },
  ) {}

  /** Whether requests need a credential. */
  get isRequired(): boolean {
    return this.parts.mode === 'required';
  }

  /**
   * The viewer by the first credential that is there: API key or token in the header, signature of the address.
   * @throws {UnauthenticatedError} when a credential is required and none is accepted
   */
  async viewerOf(presented: Presented): Promise<Viewer> {
    try {
      return await this.accepted(presented);
    } catch (error) {
      if (error instanceof UnauthenticatedError && error.isOfCredential) this.parts.refusals.unauthenticated(error);
      throw error;
    }
  }

  private async accepted({ authorization, link, workspace }: Presented): Promise<Viewer> {
    const { machine, keys } = this.parts;
    const token = bearerToken(authorization);
    if (token !== null && machine.matches(token)) return this.existing(machine.viewer(workspace));
    if (!this.isRequired) return DEFAULT_VIEWER;
    if (token === null) return this.viewerOfLink(link);
    if (!token.startsWith(KEY_MARK)) return this.viewerOfToken(token);
    const { workspace: owner, name, role } = await keys.accept(token);
    return { workspace: owner, subject: name, role };
  }

  private viewerOfToken(token: string): Promise<Viewer> {
    const { tokens } = this.parts;
    if (!tokens) throw new UnauthenticatedError('The credential is not an API key of this service.');
    return tokens.accept(token).then((viewer) => this.existing(viewer));
  }

  /** Keys are made in workspaces that exist; tokens and commands only name one. */
  private async existing(viewer: Viewer): Promise<Viewer> {
    if (await this.parts.workspaces.find(viewer.workspace)) return viewer;
    throw new UnauthenticatedError(`The workspace ${JSON.stringify(viewer.workspace)} does not exist.`);
  }

  /** A signed URL permits what it was made for: reading, or sending an upload. */
  private async viewerOfLink(link: Presented['link']): Promise<Viewer> {
    const workspace = link ? await this.parts.links.workspaceOf(link.method, link.address) : null;
    if (workspace === null) throw new UnauthenticatedError();
    return { workspace, subject: 'link', role: link?.method === 'PUT' ? 'analyst' : 'viewer' };
  }
}

/** @returns the token of `Bearer …`; null for no header and for another scheme @see RFC 6750, section 2.1 */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization ?? '')?.[1] ?? null;
}
