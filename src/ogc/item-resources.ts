import { documentAnswer, type OgcAnswer, type OgcRequest, type OgcResource } from './answer.ts';
import type { Collections } from './collections.ts';
import { readCrs } from './crs.ts';
import { ItemNotFoundError } from './errors.ts';
import { documentContent, itemTable } from './html-pages.ts';
import { itemDocument, itemText, pageDocument, pageLinks } from './item-document.ts';
import { readItemRequest, readParameters } from './item-request.ts';
import { GEOJSON_TYPE, JSON_TYPE, selfLinks } from './links.ts';

/** `/collections/{collectionId}/items` and `/collections/{collectionId}/items/{itemId}`. */
export function itemResources(collectionsOf: (request: OgcRequest) => Collections, maxPage: number): OgcResource[] {
  return [
    {
      path: '/collections/:collectionId/items',
      methods: { GET: (request) => listItems(request, collectionsOf(request), maxPage) },
      takesFilter: true,
    },
    {
      path: '/collections/:collectionId/items/:itemId',
      methods: { GET: (request) => oneItem(request, collectionsOf(request)) },
      takesFilter: false,
    },
  ];
}

async function listItems({ names, query, address }: OgcRequest, all: Collections, maxPage: number): Promise<OgcAnswer> {
  const collection = await all.require(names['collectionId']!);
  const asked = await readItemRequest(query, collection, maxPage);
  const page = await collection.page(asked.query);
  // A first page that is the last one holds everything.
  const isWhole = page.next === null && asked.query.after === null;
  const numberMatched = isWhole ? page.items.length : await page.numberMatched();
  const links = pageLinks(collection, address, page.next);
  const texts = page.items.map((item) => itemText(item, asked.crs));
  const home = `${address.base}/collections/${collection.id}/items`;
  return documentAnswer(address, {
    title: collection.title,
    dataType: GEOJSON_TYPE,
    data: pageDocument(texts, numberMatched, links),
    links,
    content: () =>
      itemTable(
        texts.map((text) => JSON.parse(text) as object),
        home,
        numberMatched,
      ),
    headers: { 'Content-Crs': `<${asked.crs.uri}>` },
  });
}

async function oneItem({ names, query, address }: OgcRequest, all: Collections): Promise<OgcAnswer> {
  const parameters = readParameters(query, ['f', 'crs']);
  const crs = await readCrs('crs', parameters['crs']);
  const collection = await all.require(names['collectionId']!);
  const id = names['itemId']!;
  const item = await collection.item(id);
  if (!item) throw new ItemNotFoundError(collection.id, id);
  const home = `${address.base}/collections/${collection.id}`;
  const links = [
    ...selfLinks(address.self, address.isHtml, GEOJSON_TYPE),
    { href: home, rel: 'collection', type: JSON_TYPE, title: collection.title },
  ];
  const data = itemDocument(item, crs, links);
  return documentAnswer(address, {
    title: `${collection.title}: ${id}`,
    dataType: GEOJSON_TYPE,
    data,
    links,
    content: () => documentContent(JSON.parse(data) as object),
    headers: { 'Content-Crs': `<${crs.uri}>` },
  });
}
