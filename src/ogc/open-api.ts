import { FEATURE_QUERYABLES } from '../feature/feature-record.ts';
import { SCENE_ATTRIBUTES } from '../scene/scene-attributes.ts';
import { CRS84_URI } from './crs.ts';
import type { ItemProperty } from './item-collection.ts';
import { DEFAULT_LIMIT, FILTER_LANGUAGES } from './item-request.ts';
import { GEOJSON_TYPE, HTML_TYPE, JSON_TYPE, OPENAPI_TYPE, SCHEMA_TYPE } from './links.ts';

interface ApiLimits {
  readonly base: string;
  readonly version: string;
  /** Largest page of items. */
  readonly maxLimit: number;
}

const query = (name: string, description: string, schema: object): object => ({
  name,
  in: 'query',
  description,
  required: false,
  schema,
  style: 'form',
  explode: false,
});
const inPath = (name: string, description: string): object => ({
  name,
  in: 'path',
  description,
  required: true,
  schema: { type: 'string' },
});
const COLLECTION = inPath('collectionId', 'Identifier of the collection.');
const FORM = query('f', 'Format of the response, instead of the Accept header.', {
  type: 'string',
  enum: ['json', 'html'],
});
const URI = { type: 'string', format: 'uri', default: CRS84_URI };

const ERROR = {
  description: 'The request is refused; the body has the reason.',
  content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/error' } } },
};

function answered(description: string, types: readonly string[], schema = 'document'): object {
  const content = Object.fromEntries(
    types.map((type) => [
      type,
      { schema: type === HTML_TYPE ? { type: 'string' } : { $ref: `#/components/schemas/${schema}` } },
    ]),
  );
  return { description, content };
}

const answers = (description: string, types: readonly string[], schema?: string): object => ({
  '200': answered(description, types, schema),
  '400': ERROR,
  '404': ERROR,
});

function operation(id: string, summary: string, parameters: readonly object[], responses: object): object {
  return { get: { operationId: id, summary, tags: ['OGC API'], parameters, responses } };
}

/** Properties of features and scenes by name, each once. */
function propertyParameters(): object[] {
  const properties = new Map<string, ItemProperty>(
    [...FEATURE_QUERYABLES, ...SCENE_ATTRIBUTES].map((property) => [property.name, property]),
  );
  return [...properties.values()].map(({ name, kind, doc }) =>
    query(name, `Only items whose ${name} is this. ${doc}`, {
      type: kind === 'REAL' || kind === 'COUNT' ? 'number' : 'string',
    }),
  );
}

function itemParameters(maxLimit: number): object[] {
  return [
    query('limit', 'Maximum number of items per page; larger values are capped.', {
      type: 'integer',
      minimum: 1,
      maximum: maxLimit,
      default: Math.min(DEFAULT_LIMIT, maxLimit),
    }),
    query(
      'bbox',
      'Only items whose geometry intersects the box: lower corner, then upper corner, with or without heights.',
      {
        type: 'array',
        minItems: 4,
        maxItems: 6,
        items: { type: 'number' },
      },
    ),
    query('bbox-crs', 'Coordinate reference system of bbox.', URI),
    query('crs', 'Coordinate reference system of the geometries in the response: any EPSG code.', URI),
    query(
      'datetime',
      'Only items acquired at this instant, or between two instants separated by /, one of which may be "..".',
      {
        type: 'string',
      },
    ),
    query('filter', 'Only items that meet this CQL2 expression.', { type: 'string' }),
    query('filter-lang', 'Encoding of filter.', { type: 'string', enum: FILTER_LANGUAGES, default: 'cql2-text' }),
    query('filter-crs', 'Coordinate reference system of the geometries in filter.', URI),
    query('after', 'Position in the list, from the link "next" of the previous page.', { type: 'string' }),
    FORM,
    ...propertyParameters(),
  ];
}

function featurePaths(maxLimit: number): object {
  const both = [JSON_TYPE, HTML_TYPE];
  const of = (path: string) => `/collections/{collectionId}${path}`;
  return {
    '/': operation('getLandingPage', 'Landing page', [FORM], answers('Links to all resources.', both)),
    '/conformance': operation('getConformance', 'Conformance classes', [FORM], answers('Their URIs.', both)),
    '/api': operation('getApi', 'This description', [FORM], answers('OpenAPI 3.0.', [OPENAPI_TYPE, HTML_TYPE])),
    '/collections': operation(
      'getCollections',
      'Collections: features, scenes, saved views, prompts',
      [
        query('limit', 'Maximum number of prompts per page.', { type: 'integer', minimum: 1, default: 100 }),
        query('after', 'Position in the list, from the link "next".', { type: 'string' }),
        FORM,
      ],
      answers('A page of collections.', both),
    ),
    [of('')]: operation('getCollection', 'One collection', [COLLECTION, FORM], answers('The collection.', both)),
    [of('/queryables')]: operation(
      'getQueryables',
      'Queryable properties',
      [COLLECTION, FORM],
      answers('JSON schema.', [SCHEMA_TYPE, HTML_TYPE]),
    ),
    [of('/schema')]: operation(
      'getSchema',
      'Schema of an item',
      [COLLECTION, FORM],
      answers('JSON schema.', [SCHEMA_TYPE, HTML_TYPE]),
    ),
    [of('/items')]: operation(
      'getItems',
      'Items of a collection',
      [COLLECTION, ...itemParameters(maxLimit)],
      answers('A page of items.', [GEOJSON_TYPE, HTML_TYPE], 'featureCollection'),
    ),
    [of('/items/{featureId}')]: operation(
      'getItem',
      'One item',
      [
        COLLECTION,
        inPath('featureId', 'Identifier of the item.'),
        query('crs', 'Coordinate reference system of the geometry.', URI),
        FORM,
      ],
      answers('The item.', [GEOJSON_TYPE, HTML_TYPE], 'feature'),
    ),
  };
}

function otherPaths(): object {
  const json = [JSON_TYPE];
  const tiles = '/collections/{collectionId}/tiles';
  const job = inPath('jobId', 'Identifier of the job.');
  const at = (id: string, summary: string, parameters: readonly object[] = []): object =>
    operation(id, summary, parameters, answers(summary, json));
  const execute = {
    operationId: 'executeSegment',
    summary: 'Asks a question about a scene',
    tags: ['OGC API'],
    parameters: [inPath('processId', 'segment.')],
    requestBody: { required: true, content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/document' } } } },
    responses: { ...answers('The results.', json), '201': answered('The job, which continues.', json) },
  };
  const dismiss = {
    operationId: 'dismissJob',
    summary: 'Cancels a job',
    tags: ['OGC API'],
    parameters: [job],
    responses: answers('The job.', json),
  };
  return {
    [tiles]: at('getTilesets', 'Sets of vector tiles', [COLLECTION]),
    [`${tiles}/{tileMatrixSetId}`]: at('getTileset', 'A set of vector tiles', [
      COLLECTION,
      inPath('tileMatrixSetId', 'WebMercatorQuad.'),
    ]),
    '/tileMatrixSets': at('getTileMatrixSets', 'Tile matrix sets'),
    '/tileMatrixSets/{tileMatrixSetId}': at('getTileMatrixSet', 'A tile matrix set', [
      inPath('tileMatrixSetId', 'WebMercatorQuad.'),
    ]),
    '/processes': at('getProcesses', 'Processes'),
    '/processes/{processId}': at('getProcess', 'A process', [inPath('processId', 'segment.')]),
    '/processes/{processId}/execution': { post: execute },
    '/jobs': at('getJobs', 'Jobs, newest first', [
      query('limit', 'Maximum number of jobs per page.', { type: 'integer', minimum: 1, default: 100 }),
      query('after', 'Position in the list, from the link "next".', { type: 'string' }),
    ]),
    '/jobs/{jobId}': { ...at('getJob', 'State of a job', [job]), delete: dismiss },
    '/jobs/{jobId}/results': at('getResults', 'Results of a job', [job]),
  };
}

/**
 * The API as OpenAPI 3.0.
 * @see OGC 17-069r4, clause 9
 */
export function openApi({ base, version, maxLimit }: ApiLimits): object {
  return {
    openapi: '3.0.3',
    info: {
      title: 'TerraQL',
      version,
      description: 'Polygons that a vision model found in satellite and aerial images, by OGC standards.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: base }],
    tags: [{ name: 'OGC API', description: 'Features, tiles and processes.' }],
    paths: { ...featurePaths(maxLimit), ...otherPaths() },
    components: {
      schemas: {
        document: { type: 'object' },
        error: {
          type: 'object',
          required: ['error'],
          properties: {
            error: {
              type: 'object',
              required: ['code', 'message'],
              properties: { code: { type: 'string' }, message: { type: 'string' } },
            },
          },
        },
        feature: {
          type: 'object',
          required: ['type', 'id', 'geometry', 'properties'],
          properties: {
            type: { type: 'string', enum: ['Feature'] },
            id: { type: 'string' },
            geometry: { type: 'object', nullable: true },
            properties: { type: 'object' },
          },
        },
        featureCollection: {
          type: 'object',
          required: ['type', 'features'],
          properties: {
            type: { type: 'string', enum: ['FeatureCollection'] },
            numberMatched: { type: 'integer', minimum: 0 },
            numberReturned: { type: 'integer', minimum: 0 },
            links: { type: 'array', items: { type: 'object' } },
            features: { type: 'array', items: { $ref: '#/components/schemas/feature' } },
          },
        },
      },
    },
  };
}
