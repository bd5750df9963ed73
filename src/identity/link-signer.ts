import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { UnauthenticatedError } from './identity-errors.ts';

/** A secret that links are signed with. */
export interface LinkKey {
  readonly id: string;
  readonly secret: Buffer;
  readonly createdAt: Date;
}

/** Where the keys of links are kept; the port that the database implements. */
export interface LinkKeyStore {
  /** Newest first. */
  list(): Promise<LinkKey[]>;
  add(id: string, secret: Buffer): Promise<void>;
  removeBefore(instant: Date): Promise<void>;
}

/** Methods that a link may be made for; GET allows HEAD. */
export type LinkMethod = 'GET' | 'PUT';

/** Parameters that a signature adds to a link. */
const PARAMETERS = ['workspace', 'expires', 'signature'] as const;
/** Another value makes another address of the same thing, so it is not signed. */
const REVISION = 'r';
/** Links made within this time are the same, so that caches keep what they lead to. */
const ROUND_S = 3600;
const ROTATE_MS = 30 * 86_400_000;
const REFRESH_MS = 60_000;
/** Between looks for a key that is not known here. */
const UNKNOWN_MS = 1000;

/**
 * Signs URLs, so that everyone who has one may read what it leads to, and nothing else, until it expires: `<img>`, map
 * libraries and desktop GIS send no header. The signature is an HMAC-SHA-256 over method, path, query and workspace.
 */
export class LinkSigner {
  private keys: readonly LinkKey[] = [];
  private readAt = 0;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly store: LinkKeyStore,
    private readonly ttlS: number,
    onError: (error: unknown) => void,
  ) {
    this.timer = setInterval(() => void this.refresh().catch(onError), REFRESH_MS).unref();
  }

  /**
   * Reads the keys, and creates one if there is none or the newest is 30 days old.
   * @param ttlS lifetime of links, seconds
   * @param onError told when the keys cannot be read again later
   */
  static async open(store: LinkKeyStore, ttlS: number, onError: (error: unknown) => void): Promise<LinkSigner> {
    const signer = new LinkSigner(store, ttlS, onError);
    await signer.refresh();
    return signer;
  }

  /** @param path with its query, as the service sees it; may have `{z}`, `{x}` and `{y}` to fill in */
  sign(method: LinkMethod, path: string, workspace: string): string {
    const [newest] = this.keys;
    if (!newest) throw new Error('No key to sign links exists.');
    const expires = String(Math.ceil((Date.now() / 1000 + this.ttlS) / ROUND_S) * ROUND_S);
    const mac = macOf(newest, { method, path, workspace, expires }).toString('base64url');
    const added = new URLSearchParams({ workspace, expires, signature: `${newest.id}.${mac}` });
    return `${path}${path.includes('?') ? '&' : '?'}${added.toString()}`;
  }

  /**
   * @param address path and query of a request
   * @returns the workspace that a signed address belongs to; null for an address without a signature
   * @throws {UnauthenticatedError} when it has expired or was changed
   */
  async workspaceOf(method: string, address: string): Promise<string | null> {
    const { searchParams } = new URL(address, 'http://localhost');
    const [workspace, expires, signature] = PARAMETERS.map((name) => searchParams.get(name));
    if (!signature) return null;
    if (!workspace || !/^\d{1,12}$/.test(expires ?? '')) throw new UnauthenticatedError('The link is incomplete.');
    const [id = '', mac = ''] = signature.split('.');
    const key = await this.keyOf(id);
    const signed = { method: method === 'HEAD' ? 'GET' : method, path: address, workspace, expires: expires! };
    const given = Buffer.from(mac, 'base64url');
    const wanted = key ? macOf(key, signed) : null;
    if (!wanted || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw new UnauthenticatedError('The signature does not belong to this link.');
    }
    const expiredAt = new Date(Number(expires) * 1000);
    if (expiredAt.getTime() > Date.now()) return workspace;
    const suspect = { workspace, subject: 'link' };
    throw new UnauthenticatedError(`The link expired at ${expiredAt.toISOString()}.`, suspect);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async keyOf(id: string): Promise<LinkKey | undefined> {
    const find = (): LinkKey | undefined => this.keys.find((key) => key.id === id);
    if (!find() && Date.now() - this.readAt > UNKNOWN_MS) await this.refresh();
    return find();
  }

  private async refresh(): Promise<void> {
    this.readAt = Date.now();
    this.keys = await this.store.list();
    const newest = this.keys[0]?.createdAt.getTime() ?? 0;
    if (Date.now() - newest < ROTATE_MS) return;
    await this.store.removeBefore(new Date(Date.now() - ROTATE_MS - (this.ttlS + ROUND_S) * 1000));
    await this.store.add(randomBytes(6).toString('base64url').slice(0, 6), randomBytes(32));
    this.keys = await this.store.list();
  }
}

/** The address of a request without what a signature added. */
export function withoutSignature(address: string): string {
  const [path = '', query] = address.split('?', 2);
  if (query === undefined) return address;
  const left = query.split('&').filter((part) => !PARAMETERS.some((name) => part.startsWith(`${name}=`)));
  return left.length > 0 ? `${path}?${left.join('&')}` : path;
}

interface Signed {
  readonly method: string;
  readonly path: string;
  readonly workspace: string;
  readonly expires: string;
}

function macOf({ secret }: LinkKey, { method, path, workspace, expires }: Signed): Buffer {
  const { pathname, searchParams } = new URL(path, 'http://localhost');
  for (const name of [...PARAMETERS, REVISION]) searchParams.delete(name);
  searchParams.sort();
  const parts = [
    method,
    tilePattern(pathname.replaceAll('%7B', '{').replaceAll('%7D', '}')),
    searchParams.toString(),
    workspace,
    expires,
  ];
  return createHmac('sha256', secret).update(JSON.stringify(parts)).digest();
}

/** One signature is valid for all tiles of a layer: their numbers replace `{z}/{x}/{y}`. */
const tilePattern = (path: string): string =>
  path.replace(/\/(?:\d+|\{z\})\/(?:\d+|\{[xy]\})\/(?:\d+|\{[xy]\})(?=$|[@.])/, '/{z}/{x}/{y}');
