import { z } from 'zod';
import { GEOJSON_TYPE, HTML_TYPE, JSON_TYPE, OPENAPI_TYPE, SCHEMA_TYPE } from '../ogc/links.ts';
import { Search } from './search.ts';

const inPath = (name: string, description: string): object => ({
  name,
  in: 'path',
  description,
  required: true,
  schema: { type: 'string' },
});
const COLLECTION = inPath('collectionId', 'scenes.');
const FORM = {
  name: 'f',
  in: 'query',
  description: 'Format of the response, instead of the Accept header.',
  schema: { type: 'string', enum: ['json', 'html'] },
};

/** Parameters of a search, as {@link Search} has them; lists are separated by commas. */
const SEARCHED = Object.keys(Search.shape).map((name) => ({
  name,
  in: 'query',
  schema:
    name === 'limit'
      ? { type: 'integer', minimum: 1 }
      : name === 'filter-lang'
        ? { type: 'string', enum: Search.shape['filter-lang'].unwrap().options }
        : { type: 'string' },
}));

function answers(description: string, types: readonly string[], schema: string): object {
  const content = Object.fromEntries(
    types.map((type) => [
      type,
      { schema: type === HTML_TYPE ? { type: 'string' } : { $ref: `#/components/schemas/${schema}` } },
    ]),
  );
  return { '200': { description, content } };
}

function operation(
  operationId: string,
  summary: string,
  parameters: readonly object[] = [],
  type = JSON_TYPE,
  schema = 'document',
): object {
  return {
    operationId,
    summary,
    tags: ['STAC API'],
    parameters: [...parameters, FORM],
    responses: answers(summary, [type, HTML_TYPE], schema),
  };
}

/**
 * The API as OpenAPI 3.0.
 * @param base address of the landing page
 */
export function openApi(base: string, version: string): object {
  const ofCollection = SEARCHED.filter(({ name }) => name !== 'collections');
  const { $schema: _dialect, ...search } = z.toJSONSchema(Search, { target: 'openapi-3.0' });
  return {
    openapi: '3.0.3',
    info: { title: 'TerraQL: STAC API', version },
    servers: [{ url: base }],
    paths: {
      '/': { get: operation('getCatalogue', 'The catalogue') },
      '/conformance': { get: operation('getStacConformance', 'Requirement classes that the service meets') },
      '/api': { get: operation('getStacApi', 'This description', [], OPENAPI_TYPE) },
      '/collections': { get: operation('getStacCollections', 'Collections') },
      '/collections/{collectionId}': { get: operation('getStacCollection', 'A collection', [COLLECTION]) },
      '/collections/{collectionId}/queryables': {
        get: operation('getStacCollectionQueryables', 'What a filter may name', [COLLECTION], SCHEMA_TYPE),
      },
      '/collections/{collectionId}/items': {
        get: operation('getStacItems', 'Its items', [COLLECTION, ...ofCollection], GEOJSON_TYPE, 'itemCollection'),
      },
      '/collections/{collectionId}/items/{itemId}': {
        get: operation('getStacItem', 'An item', [COLLECTION, inPath('itemId', 'Identifier.')], GEOJSON_TYPE, 'item'),
      },
      '/queryables': { get: operation('getStacQueryables', 'What a filter may name', [], SCHEMA_TYPE) },
      '/search': {
        get: operation('searchItems', 'Items that match', SEARCHED, GEOJSON_TYPE, 'itemCollection'),
        post: {
          operationId: 'searchItemsByJson',
          summary: 'Items that match',
          tags: ['STAC API'],
          requestBody: { content: { [JSON_TYPE]: { schema: search } } },
          responses: answers('Items that match', [GEOJSON_TYPE], 'itemCollection'),
        },
      },
    },
    components: {
      schemas: {
        document: { type: 'object' },
        item: {
          type: 'object',
          required: ['type', 'stac_version', 'id', 'geometry', 'properties', 'links', 'assets'],
          properties: {
            type: { type: 'string', enum: ['Feature'] },
            stac_version: { type: 'string' },
            id: { type: 'string' },
            geometry: { type: 'object', nullable: true },
            properties: { type: 'object' },
            links: { type: 'array', items: { type: 'object' } },
            assets: { type: 'object' },
          },
        },
        itemCollection: {
          type: 'object',
          required: ['type', 'features', 'links'],
          properties: {
            type: { type: 'string', enum: ['FeatureCollection'] },
            features: { type: 'array', items: { $ref: '#/components/schemas/item' } },
            links: { type: 'array', items: { type: 'object' } },
            numberMatched: { type: 'integer', minimum: 0 },
            numberReturned: { type: 'integer', minimum: 0 },
          },
        },
      },
    },
  };
}
