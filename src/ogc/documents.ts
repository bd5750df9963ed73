import type { SceneExtent } from '../scene/scene.service.ts';
import { COLLECTION_CRS, CRS84_URI } from './crs.ts';
import type { ItemCollection } from './item-collection.ts';
import { GEOJSON_TYPE, HTML_TYPE, JSON_TYPE, type Link, OPENAPI_TYPE, SCHEMA_TYPE } from './links.ts';
import { tilesLinks } from './tiles.ts';

const REL = 'http://www.opengis.net/def/rel/ogc/1.0';
const FEATURES = 'http://www.opengis.net/spec/ogcapi-features';
const CQL2 = 'http://www.opengis.net/spec/cql2/1.0/conf';

/** Requirement classes that the service meets. */
export const CONFORMANCE: readonly string[] = [
  'http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core',
  'http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections',
  ...['core', 'oas30', 'geojson', 'html'].map((name) => `${FEATURES}-1/1.0/conf/${name}`),
  `${FEATURES}-2/1.0/conf/crs`,
  ...['queryables', 'queryables-query-parameters', 'filter', 'features-filter'].map(
    (name) => `${FEATURES}-3/1.0/conf/${name}`,
  ),
  ...['schemas', 'core-roles-features', 'queryables'].map((name) => `${FEATURES}-5/1.0/conf/${name}`),
  ...['cql2-text', 'cql2-json', 'basic-cql2', 'advanced-comparison-operators', 'case-insensitive-comparison'].map(
    (name) => `${CQL2}/${name}`,
  ),
  ...[
    'accent-insensitive-comparison',
    'basic-spatial-functions',
    'basic-spatial-functions-plus',
    'spatial-functions',
  ].map((name) => `${CQL2}/${name}`),
  ...['temporal-functions', 'arithmetic'].map((name) => `${CQL2}/${name}`),
  ...['core', 'tileset', 'tilesets-list', 'geodata-tilesets', 'mvt'].map(
    (name) => `http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/${name}`,
  ),
  ...['core', 'ogc-process-description', 'json', 'job-list', 'dismiss'].map(
    (name) => `http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/${name}`,
  ),
];

/** @param base address of the landing page @param self links of the document to itself */
export function landingPage(base: string, self: readonly Link[]): object {
  const link = (path: string, rel: string, type: string, title: string): Link => ({
    href: `${base}${path}`,
    rel,
    type,
    title,
  });
  return {
    title: 'TerraQL',
    description: 'Polygons that a vision model found in satellite and aerial images, for questions in plain words.',
    links: [
      ...self,
      link('/api?f=json', 'service-desc', OPENAPI_TYPE, 'The API as OpenAPI 3.0'),
      link('/api?f=html', 'service-doc', HTML_TYPE, 'The API as HTML'),
      link('/conformance', 'conformance', JSON_TYPE, 'Conformance classes of the service'),
      link('/collections', 'data', JSON_TYPE, 'Collections'),
      link('/tileMatrixSets', `${REL}/tiling-schemes`, JSON_TYPE, 'Tile matrix sets'),
      link('/processes', `${REL}/processes`, JSON_TYPE, 'Processes'),
      link('/jobs', `${REL}/job-list`, JSON_TYPE, 'Jobs'),
    ],
  };
}

export interface CollectionContext {
  /** Address of the landing page. */
  readonly base: string;
  /** Address of the service, where its tiles are. */
  readonly root: string;
  readonly extent: SceneExtent;
}

export function collectionDocument(
  collection: ItemCollection,
  context: CollectionContext,
  self?: readonly Link[],
): object {
  const address = `${context.base}/collections/${collection.id}`;
  const own: readonly Link[] = self ?? [{ href: address, rel: 'self', type: JSON_TYPE, title: collection.title }];
  const items = (type: string, form: string): Link => ({
    href: `${address}/items?f=${form}`,
    rel: 'items',
    type,
    title: `Items as ${form === 'json' ? 'GeoJSON' : 'HTML'}`,
  });
  return {
    id: collection.id,
    title: collection.title,
    description: collection.description,
    itemType: 'feature',
    ...extentDocument(context.extent),
    crs: COLLECTION_CRS,
    storageCrs: CRS84_URI,
    links: [
      ...own,
      items(GEOJSON_TYPE, 'json'),
      items(HTML_TYPE, 'html'),
      { href: `${address}/queryables`, rel: `${REL}/queryables`, type: SCHEMA_TYPE, title: 'Queryable properties' },
      { href: `${address}/schema`, rel: `${REL}/schema`, type: SCHEMA_TYPE, title: 'Schema of an item' },
      ...tilesLinks(collection, context),
    ],
  };
}

function extentDocument({ box, from, to }: SceneExtent): object {
  if (!box) return {};
  const interval = [[from?.toISOString() ?? null, to?.toISOString() ?? null]];
  const temporal = { interval, trs: 'http://www.opengis.net/def/uom/ISO-8601/0/Gregorian' };
  return { extent: { spatial: { bbox: [box], crs: CRS84_URI }, ...(from ? { temporal } : {}) } };
}
