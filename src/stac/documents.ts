import type { SceneExtent } from '../scene/scene.service.ts';
import { type Link, GEOJSON_TYPE, HTML_TYPE, JSON_TYPE, OPENAPI_TYPE, SCHEMA_TYPE } from '../ogc/links.ts';
import { SCENES, STAC_VERSION } from './item.ts';
import { QUERYABLES } from './search.ts';

const STAC_API = 'https://api.stacspec.org/v1.0.0';
const OGC_FEATURES = 'http://www.opengis.net/spec/ogcapi-features';
const QUERYABLES_REL = 'http://www.opengis.net/def/rel/ogc/1.0/queryables';
/** Everywhere, for collections that hold nothing on the ground yet. */
const EVERYWHERE = [-180, -90, 180, 90] as const;

/** Requirement classes that the service meets. */
export const CONFORMANCE: readonly string[] = [
  ...['core', 'collections', 'ogcapi-features', 'item-search', 'item-search#filter'].map(
    (name) => `${STAC_API}/${name}`,
  ),
  ...['core', 'oas30', 'geojson'].map((name) => `${OGC_FEATURES}-1/1.0/conf/${name}`),
  ...['filter', 'features-filter'].map((name) => `${OGC_FEATURES}-3/1.0/conf/${name}`),
  ...['cql2-text', 'cql2-json', 'basic-cql2'].map((name) => `http://www.opengis.net/spec/cql2/1.0/conf/${name}`),
];

/** The landing page, which is a Catalog. @param base its address */
export function catalogue(base: string): object {
  const link = (path: string, rel: string, type: string, title: string): Link => ({
    href: `${base}${path}`,
    rel,
    type,
    title,
  });
  return {
    type: 'Catalog',
    stac_version: STAC_VERSION,
    id: 'terraql',
    title: 'TerraQL',
    description: 'Registered images, with what a vision model found on them as assets.',
    conformsTo: CONFORMANCE,
    links: [
      link('', 'self', JSON_TYPE, 'This catalogue'),
      link('', 'root', JSON_TYPE, 'This catalogue'),
      link('/collections', 'data', JSON_TYPE, 'Collections'),
      link('/conformance', 'conformance', JSON_TYPE, 'Requirement classes that the service meets'),
      link('/api', 'service-desc', OPENAPI_TYPE, 'The API as OpenAPI 3.0'),
      link('/api?f=html', 'service-doc', HTML_TYPE, 'The API as HTML'),
      { ...link('/search', 'search', GEOJSON_TYPE, 'Search by parameters'), method: 'GET' } as Link,
      { ...link('/search', 'search', GEOJSON_TYPE, 'Search by JSON'), method: 'POST' } as Link,
      link('/queryables', QUERYABLES_REL, SCHEMA_TYPE, 'What a filter may name'),
      link(`/collections/${SCENES}`, 'child', JSON_TYPE, 'Scenes'),
    ],
  };
}

/** The only collection. @param base address of the landing page */
export function scenesCollection(base: string, { box, from, to }: SceneExtent): object {
  const address = `${base}/collections/${SCENES}`;
  const interval = [from?.toISOString() ?? null, to?.toISOString() ?? null];
  return {
    type: 'Collection',
    stac_version: STAC_VERSION,
    id: SCENES,
    title: 'Scenes',
    description: 'Registered images, newest first.',
    // The images are of those who registered them.
    license: 'proprietary',
    extent: { spatial: { bbox: [box ?? EVERYWHERE] }, temporal: { interval: [interval] } },
    links: [
      { href: address, rel: 'self', type: JSON_TYPE },
      { href: base, rel: 'root', type: JSON_TYPE },
      { href: base, rel: 'parent', type: JSON_TYPE },
      { href: `${address}/items`, rel: 'items', type: GEOJSON_TYPE },
      { href: `${address}/queryables`, rel: QUERYABLES_REL, type: SCHEMA_TYPE },
    ],
  };
}

/** What a filter may name, as a JSON Schema. @param id address of the schema */
export function queryables(id: string): object {
  const properties = Object.fromEntries(QUERYABLES.map(({ name, schema }) => [name, schema]));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: id,
    type: 'object',
    title: 'Queryables',
    properties: { ...properties, geometry: { $ref: 'https://geojson.org/schema/Geometry.json' } },
    additionalProperties: false,
  };
}
