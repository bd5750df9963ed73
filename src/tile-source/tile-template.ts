import { AppError } from '../errors.ts';
import { UrlNotAllowedError } from '../remote/guarded-http.ts';

/** A tile service cannot be read as an image: its address, the asked area, or what it answers. */
export class TileSourceError extends AppError {
  readonly code = 'TILE_SOURCE_INVALID';
}

/** A tile of a service whose grid is that of WebMercatorQuad: row 0 is the northernmost. */
export interface TileAddress {
  readonly z: number;
  readonly x: number;
  readonly y: number;
}

type Placeholder = (tile: TileAddress) => string | number;

const zoom: Placeholder = ({ z }) => z;
const column: Placeholder = ({ x }) => x;
const row: Placeholder = ({ y }) => y;
const PLACEHOLDERS: Readonly<Record<string, Placeholder>> = {
  z: zoom,
  x: column,
  y: row,
  '-y': ({ z, y }) => 2 ** z - 1 - y,
  TileMatrix: zoom,
  TileCol: column,
  TileRow: row,
};

const NEEDED = [
  ['z', 'TileMatrix'],
  ['x', 'TileCol'],
  ['y', '-y', 'TileRow'],
] as const;

/** The address of each tile of a service. */
export interface TileTemplate {
  /** Without the query, which may hold a key. */
  readonly name: string;
  readonly host: string;
  urlOf(tile: TileAddress): string;
}

/**
 * Reads the address of a tile service: `{z}/{x}/{y}` as in OpenStreetMap, `{-y}` where row 0 is the southernmost (TMS), or
 * `{TileMatrix}/{TileRow}/{TileCol}` of a WMTS resource address.
 * @throws {TileSourceError} for a placeholder that is unknown or missing
 * @throws {UrlNotAllowedError} for anything else than an https address
 * @see OGC 07-057r7 (WMTS), clause 10.2.1
 */
export function parseTileTemplate(text: string): TileTemplate {
  const used = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, placeholder]) => placeholder!);
  const unknown = used.find((placeholder) => !Object.hasOwn(PLACEHOLDERS, placeholder));
  if (unknown !== undefined) {
    const known = Object.keys(PLACEHOLDERS).map((placeholder) => `{${placeholder}}`);
    throw new TileSourceError(`template contains {${unknown}}; it may contain ${known.join(', ')}.`);
  }
  for (const choice of NEEDED) {
    if (choice.some((placeholder) => used.includes(placeholder))) continue;
    throw new TileSourceError(`template contains no ${choice.map((placeholder) => `{${placeholder}}`).join(' or ')}.`);
  }
  const urlOf = (tile: TileAddress): string =>
    text.replaceAll(/\{([^{}]*)\}/g, (_, placeholder: string) => String(PLACEHOLDERS[placeholder]!(tile)));
  const first = urlOf({ z: 0, x: 0, y: 0 });
  if (!URL.canParse(first)) throw new UrlNotAllowedError(null, 'it is not a URL');
  const { protocol, username, password, host } = new URL(first);
  if (protocol !== 'https:') throw new UrlNotAllowedError(null, `only https is supported, not ${protocol}`);
  if (username !== '' || password !== '') throw new UrlNotAllowedError(null, 'it contains a user name or password');
  return { name: text.replace(/[?#].*$/s, ''), host, urlOf };
}
