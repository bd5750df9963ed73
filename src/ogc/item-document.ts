import type { Geometry } from 'geojson';
import { moveGeometry, type RequestedCrs } from './crs.ts';
import { UnwritableGeometryError } from './errors.ts';
import type { Item, ItemCollection } from './item-collection.ts';
import { GEOJSON_TYPE, JSON_TYPE, type Link, selfLinks, withParameters } from './links.ts';

/** Decimal places of coordinates of projected systems: millimetres. */
const PROJECTED_SCALE = 1000;
const DEGREES_SCALE = 1e7;

/** Text of the item in a coordinate reference system. @throws {UnwritableGeometryError} */
export function itemText({ geometry, text }: Item, crs: RequestedCrs): string {
  return text(crs.isStored || geometry === 'null' ? geometry : movedText(geometry, crs), crs.isStored);
}

function movedText(text: string, crs: RequestedCrs): string {
  const geometry = moveGeometry(JSON.parse(text) as Geometry, (position) => {
    const [x, y] = crs.fromWgs84(position);
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw new UnwritableGeometryError(position, crs.uri);
    const scale = Math.abs(x) <= 360 && Math.abs(y) <= 360 ? DEGREES_SCALE : PROJECTED_SCALE;
    return [Math.round(x * scale) / scale, Math.round(y * scale) / scale];
  });
  return JSON.stringify(geometry);
}

/** An item with links, in place of the closing brace of its text. */
export function itemDocument(item: Item, crs: RequestedCrs, links: readonly Link[]): string {
  return `${itemText(item, crs).slice(0, -1)},"links":${JSON.stringify(links)}}`;
}

export interface ItemListAddress {
  /** Address of the landing page. */
  readonly base: string;
  /** Address of the request, without `f`. */
  readonly self: string;
  readonly isHtml: boolean;
}

/** Links of a page of items. @param next cursor of the next page; null on the last */
export function pageLinks(collection: ItemCollection, address: ItemListAddress, next: string | null): Link[] {
  const { base, self, isHtml } = address;
  const following: Link[] =
    next === null
      ? []
      : [
          {
            href: withParameters(self, { after: next, f: isHtml ? 'html' : 'json' }),
            rel: 'next',
            type: isHtml ? 'text/html' : GEOJSON_TYPE,
            title: 'Next page',
          },
        ];
  return [
    ...selfLinks(self, isHtml, GEOJSON_TYPE),
    ...following,
    { href: `${base}/collections/${collection.id}`, rel: 'collection', type: JSON_TYPE, title: collection.title },
  ];
}

/**
 * A page of items as one GeoJSON text.
 * @see OGC 17-069r4, 7.16
 */
export function pageDocument(texts: readonly string[], numberMatched: number, links: readonly Link[]): string {
  const members = { numberMatched, numberReturned: texts.length, links };
  return `{"type":"FeatureCollection",${JSON.stringify(members).slice(1, -1)},"features":[${texts.join(',')}]}`;
}
