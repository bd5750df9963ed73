import { z } from 'zod';
import { AppError } from '../errors.ts';
import { fetchJson } from './fetch-json.ts';
import type { GuardedHttp } from './guarded-http.ts';

/** Which items of a catalogue to take. */
export interface StacQuery {
  /** An Item, an ItemCollection, a Collection, a static Catalog or an API. */
  readonly url: string;
  readonly collections?: readonly string[] | undefined;
  /** `[west, south, east, north]`, WGS 84. */
  readonly bbox?: readonly number[] | undefined;
  /** An instant, or an interval `from/to` with `..` for an open end (RFC 3339). */
  readonly datetime?: string | undefined;
  /** CQL2 JSON of the `query` extension, sent to an API as it is. */
  readonly query?: object | undefined;
  readonly assetKey?: string | undefined;
  /** Most items. */
  readonly limit: number;
}

/** The image of an item. */
export interface StacImage {
  readonly itemUrl: string;
  readonly itemId: string;
  readonly asset: string;
  readonly href: string;
  readonly acquiredAt: Date | null;
  /** 1-based bands of red, green and blue, where the asset names them. */
  readonly bands: readonly number[] | null;
}

/** A catalogue that cannot be walked, or an item without an image. */
export class StacError extends AppError {
  readonly code = 'STAC_UNUSABLE';
}

const Link = z.object({
  rel: z.string(),
  href: z.string(),
  method: z.string().optional(),
  body: z.record(z.string(), z.unknown()).optional(),
  merge: z.boolean().optional(),
});
const Bands = z.array(
  z.object({ common_name: z.string().optional(), 'eo:common_name': z.string().optional() }).catch({}),
);
const Asset = z.object({
  href: z.string(),
  type: z.string().optional().catch(undefined),
  roles: z.array(z.string()).optional().catch(undefined),
  'eo:bands': Bands.optional().catch(undefined),
  bands: Bands.optional().catch(undefined),
});
const Item = z.object({
  type: z.literal('Feature'),
  id: z.string(),
  collection: z.string().nullish(),
  bbox: z.array(z.number()).optional(),
  properties: z.object({ datetime: z.string().nullish(), start_datetime: z.string().nullish() }),
  assets: z.record(z.string(), Asset),
  links: z.array(Link).default([]),
});
type Item = z.infer<typeof Item>;
const Page = z.object({
  type: z.literal('FeatureCollection'),
  features: z.array(Item),
  links: z.array(Link).default([]),
});
const Catalog = z.object({ type: z.enum(['Catalog', 'Collection']), id: z.string(), links: z.array(Link) });
const Document = z.union([Item, Page, Catalog]);

const MAX_PAGE = 100;
/** Documents of one static catalogue that are read at most. */
const MAX_DOCUMENTS = 20_000;

/**
 * The images of a catalogue, page by page, so that memory does not grow with their number.
 * @throws {StacError | RemoteDocumentError} and errors of guards and servers
 */
export async function* stacImages(http: GuardedHttp, query: StacQuery): AsyncGenerator<StacImage> {
  let left = query.limit;
  for await (const { item, url } of items(http, query)) {
    if (left-- <= 0) return;
    yield imageOf(item, url, query.assetKey);
  }
}

interface FoundItem {
  readonly item: Item;
  readonly url: string;
}

async function* items(http: GuardedHttp, query: StacQuery): AsyncGenerator<FoundItem> {
  const waiting = [query.url];
  const seen = new Set<string>();
  for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
    if (seen.has(url)) continue;
    if (seen.size >= MAX_DOCUMENTS) throw new StacError(`The catalogue has more than ${MAX_DOCUMENTS} documents.`);
    seen.add(url);
    const document = await fetchJson(http, url, Document);
    if (document.type === 'Feature') {
      if (matches(document, query)) yield { item: document, url };
      continue;
    }
    if (document.type === 'FeatureCollection') {
      yield* pages(http, url, document, query);
      continue;
    }
    const search = linkOf(document.links, 'search');
    if (search) {
      yield* searched(http, new URL(search.href, url).href, query);
      return;
    }
    const listed = linkOf(document.links, 'items');
    const next = listed ? [listed] : document.links.filter(({ rel }) => rel === 'child' || rel === 'item');
    waiting.unshift(...next.map(({ href }) => new URL(href, url).href));
  }
}

async function* searched(http: GuardedHttp, url: string, query: StacQuery): AsyncGenerator<FoundItem> {
  const { collections, bbox, datetime, query: filter, limit } = query;
  const body = { collections, bbox, datetime, query: filter, limit: Math.min(limit, MAX_PAGE) };
  yield* pages(http, url, await fetchJson(http, url, Page, body), query, body);
}

/** A page and those that its `next` links lead to. */
async function* pages(
  http: GuardedHttp,
  firstUrl: string,
  first: z.infer<typeof Page>,
  query: StacQuery,
  asked: object = {},
): AsyncGenerator<FoundItem> {
  let [url, page] = [firstUrl, first];
  for (let read = 1; ; read++) {
    for (const item of page.features) {
      const self = linkOf(item.links, 'self');
      if (matches(item, query)) yield { item, url: new URL(self?.href ?? url, url).href };
    }
    const next = linkOf(page.links, 'next');
    if (!next || page.features.length === 0) return;
    if (read >= MAX_DOCUMENTS) throw new StacError(`The catalogue has more than ${MAX_DOCUMENTS} pages.`);
    url = new URL(next.href, url).href;
    const body = next.method?.toUpperCase() === 'POST' ? { ...(next.merge ? asked : {}), ...next.body } : undefined;
    page = await fetchJson(http, url, Page, body);
  }
}

const linkOf = (links: readonly z.infer<typeof Link>[], rel: string) => links.find((link) => link.rel === rel);

function matches({ collection, bbox, properties }: Item, query: StacQuery): boolean {
  if (query.collections?.length && !query.collections.includes(collection ?? '')) return false;
  if (query.bbox && bbox && !meets(bbox, query.bbox)) return false;
  if (query.datetime === undefined) return true;
  const at = Date.parse(properties.datetime ?? properties.start_datetime ?? '');
  const [from, to = from] = query.datetime.split('/');
  return at >= endOf(from, -Infinity) && at <= endOf(to, Infinity);
}

const endOf = (text: string | undefined, open: number): number =>
  text === undefined || text === '..' || text === '' ? open : Date.parse(text);

function meets(bbox: readonly number[], [west, south, east, north]: readonly number[]): boolean {
  const half = bbox.length / 2;
  return bbox[0]! <= east! && bbox[half]! >= west! && bbox[1]! <= north! && bbox[half + 1]! >= south!;
}

/** The asset that was named, else `visual`, else one with red, green and blue, else the data, else the first image. */
function imageOf(item: Item, url: string, wanted: string | undefined): StacImage {
  const images = Object.entries(item.assets).filter(([, { type, href }]) => isImage(type, href));
  const byRole = (role: string) => images.find(([, { roles }]) => roles?.includes(role));
  const found =
    wanted === undefined
      ? (images.find(([key]) => key === 'visual') ??
        byRole('visual') ??
        images.find(([, asset]) => rgbOf(asset) !== null) ??
        byRole('data') ??
        images.find(([, { roles }]) => !roles?.some((role) => role === 'thumbnail' || role === 'overview')))
      : Object.entries(item.assets).find(([key]) => key === wanted);
  if (!found) {
    const what = wanted === undefined ? 'no asset that is an image' : `no asset ${JSON.stringify(wanted)}`;
    throw new StacError(
      `STAC item ${item.id} has ${what}; its assets are ${Object.keys(item.assets).join(', ') || 'none'}.`,
    );
  }
  const [key, asset] = found;
  const { datetime, start_datetime: start } = item.properties;
  const instant = new Date(datetime ?? start ?? '');
  return {
    itemUrl: url,
    itemId: item.id,
    asset: key,
    href: asset.href.startsWith('s3:') ? asset.href : new URL(asset.href, url).href,
    acquiredAt: Number.isNaN(instant.getTime()) ? null : instant,
    bands: rgbOf(asset),
  };
}

function isImage(type: string | undefined, href: string): boolean {
  return type === undefined ? /\.(tiff?|png|jpe?g|webp)(\?|$)/i.test(href) : /^image\/(tiff|png|jpeg|webp)/.test(type);
}

/** Numbers of the red, green and blue band by their common names; null when one is missing. */
function rgbOf(asset: z.infer<typeof Asset>): number[] | null {
  const names = (asset.bands ?? asset['eo:bands'] ?? []).map((band) => band['eo:common_name'] ?? band.common_name);
  const bands = ['red', 'green', 'blue'].map((name) => names.indexOf(name) + 1);
  return bands.every((band) => band > 0) ? bands : null;
}
