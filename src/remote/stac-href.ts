import { z } from 'zod';
import { fetchJson } from './fetch-json.ts';
import type { GuardedHttp } from './guarded-http.ts';

const Item = z.object({ assets: z.record(z.string(), z.object({ href: z.string() })) });

/**
 * The address of an asset as its STAC item states it now: catalogues sign addresses for a time only.
 * @param url of the item
 * @returns null when the item has no such asset any more
 * @throws errors of {@link fetchJson}
 */
export async function stacAssetHref(http: GuardedHttp, url: string, asset: string): Promise<string | null> {
  const { assets } = await fetchJson(http, url, Item);
  const href = assets[asset]?.href;
  return href === undefined ? null : new URL(href, url).href;
}
